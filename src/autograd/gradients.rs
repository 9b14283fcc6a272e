//! The result of a backward pass.

use crate::autograd::gradient::Gradient;
use crate::autograd::param::ParamId;
use crate::autograd::tape::{Content, NodeId};
use crate::autograd::{MissingGradient, Param, Tape, Var};
use crate::panics;
use crate::tensor::{Float, SparseRows, Tensor};
use std::ops::{AddAssign, Index, Mul, MulAssign};
use std::panic::Location;

/// Gradients, by [`Param`] and by [`Var`].
///
/// Gradients are values: nothing has to be zeroed between steps, and the gradients of several batches are accumulated by
/// addition, `gradients += other`. A parameter on which the result does not depend has no gradient, which is not the same as a
/// zero gradient.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let (x, unused) = (tape.var(3.0), tape.var(1.0));
/// let mut gradients = x.square().backward();
/// gradients *= 0.5;
/// assert_eq!(gradients[&x].item(), 3.0);
/// assert!(gradients.get(&unused).is_none());
/// ```
#[derive(Clone, Debug)]
#[must_use = "gradients are values, which the step of an optimizer takes"]
pub struct Gradients<T: Float = f32> {
    /// Sorted by key.
    entries: Vec<(Key, Gradient<T>)>,
    /// The parameters that were read but have no gradient.
    missing: Vec<(ParamId, MissingGradient)>,
    /// Sorted by buffer; those of one buffer in the order of the forward passes.
    buffer_notes: Vec<BufferNote<T>>,
}

/// A record of a forward pass about a buffer.
#[derive(Clone, Debug)]
pub(crate) enum BufferNote<T: Float> {
    /// A pending update: `buffer ← decay · buffer + value`.
    Update { buffer: ParamId, decay: f64, value: Tensor<T> },
    /// A layer read running statistics that no batch has updated, on a tape that records but is not for training.
    ReadInitial { buffer: ParamId, at: &'static Location<'static> },
}

impl<T: Float> BufferNote<T> {
    fn buffer(&self) -> ParamId {
        let (BufferNote::Update { buffer, .. } | BufferNote::ReadInitial { buffer, .. }) = self;
        *buffer
    }
}

/// The owner of a gradient.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Owner);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Param(ParamId),
    /// The number of the tape, and the node on it.
    Var(u64, NodeId),
    /// Likewise, for an intermediate result.
    Intermediate(u64, NodeId),
    /// A constant, which never has a gradient.
    Nothing,
}

impl Key {
    /// The owner of a node's gradient; for the leaf of a parameter, the parameter.
    pub(crate) fn of<T: Float>(tape: &Tape<T>, node: NodeId) -> Self {
        Key(match tape.list()[node].content {
            Content::Parameter(param) => Owner::Param(param),
            Content::Variable => Owner::Var(tape.number(), node),
            _ => Owner::Intermediate(tape.number(), node),
        })
    }

    fn is_intermediate(&self) -> bool {
        matches!(self.0, Owner::Intermediate(..))
    }
}

/// The key of a gradient: a [`Param`] or a [`Var`].
pub trait GradientKey<T: Float> {
    #[doc(hidden)]
    fn key(&self) -> Key;
    #[doc(hidden)]
    fn describe(&self) -> String;
}

impl<T: Float> GradientKey<T> for Param<T> {
    fn key(&self) -> Key {
        Key(Owner::Param(self.id()))
    }
    fn describe(&self) -> String {
        format!("a parameter of shape {:?}", self.shape())
    }
}

impl<T: Float> GradientKey<T> for Var<T> {
    fn key(&self) -> Key {
        self.node().map_or(Key(Owner::Nothing), |node| Key::of(self.tape(), node))
    }
    fn describe(&self) -> String {
        self.place()
    }
}

impl<T: Float> Gradients<T> {
    /// Sorts the gradients by owner; the input is nearly sorted.
    #[inline(never)]
    pub(crate) fn collect(
        entries: impl Iterator<Item = (Key, Gradient<T>)>,
        missing: Vec<(ParamId, MissingGradient)>,
        mut buffer_notes: Vec<BufferNote<T>>,
    ) -> Self {
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|&(key, _)| key);
        buffer_notes.sort_by_key(BufferNote::buffer);
        Gradients { entries, missing, buffer_notes }
    }

    /// The gradient with respect to a parameter or variable, if there is one.
    ///
    /// For an intermediate result, it is kept only after [`Var::retain_grad`], and `None` otherwise. A gradient that is a list of
    /// [rows](Gradients::rows) is written out as a tensor the first time.
    pub fn get(&self, of: &impl GradientKey<T>) -> Option<&Tensor<T>> {
        self.position(of.key()).map(|at| self.entries[at].1.dense())
    }

    /// [`get`](Gradients::get), to change one gradient in place; a list of [rows](Gradients::rows) becomes a tensor.
    ///
    /// Each gradient clipped to a norm of its own:
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Linear::new(2, 1, Init::Constant(1.0), &mut wengert::rng(0));
    /// let mut gradients = layer.forward(&Tape::new().constant([[3.0, 4.0]])).sum().backward();
    /// for (_, param) in layer.parameters() {
    ///     let Some(gradient) = gradients.get_mut(param) else { continue };
    ///     *gradient *= (2.5 / gradient.norm().item()).min(1.0);
    /// }
    /// assert_eq!(gradients[&layer.weight], tensor![[1.5, 2.0]]);
    /// ```
    pub fn get_mut(&mut self, of: &impl GradientKey<T>) -> Option<&mut Tensor<T>> {
        self.position(of.key()).map(|at| self.entries[at].1.dense_mut())
    }

    /// The gradient with respect to a parameter or variable, if it is a list of rows.
    ///
    /// That of a table is, if lookups ([`Var::embedding`]) alone read it. Accumulation, clipping and [`crate::parallel`] keep it so,
    /// and their cost is that of the rows in the list. [`Rule::sparse`](crate::optim::Rule::sparse) lists the optimizers whose step
    /// updates only these rows; the others treat it as a tensor.
    pub fn rows(&self, of: &impl GradientKey<T>) -> Option<&SparseRows<T>> {
        self.position(of.key()).and_then(|at| self.entries[at].1.rows())
    }

    /// The same gradients without lists of [rows](Gradients::rows), so that a step of any optimizer updates all rows of a table.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let mut table = Param::new(Tensor::ones([3, 1]));
    /// let mut optimizer = AdamW::new(0.1).weight_decay(0.5);
    /// let gradients = Tape::new().param(&table).embedding([2], None).sum().backward();
    /// optimizer.step(&mut table, &gradients);
    /// assert_eq!(format!("{:.4}", table.value().reshape([3])), "[1.   1.   0.85]");
    /// optimizer.step(&mut table, &gradients.into_dense());
    /// assert_eq!(format!("{:.4}", table.value().reshape([3])), "[0.95   0.95   0.7075]");
    /// ```
    pub fn into_dense(mut self) -> Self {
        let dense = |(key, gradient): (Key, Gradient<T>)| (key, Gradient::Dense(gradient.into_dense()));
        self.entries = self.entries.into_iter().map(dense).collect();
        self
    }

    fn position(&self, key: Key) -> Option<usize> {
        self.entries.binary_search_by_key(&key, |&(key, _)| key).ok()
    }

    /// The gradient of a parameter in the form in which it is stored.
    pub(crate) fn of_param(&self, param: &Param<T>) -> Option<&Gradient<T>> {
        self.position(GradientKey::<T>::key(param)).map(|at| &self.entries[at].1)
    }

    /// The number of parameters with a gradient, and of pending updates of buffers.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let is_update = |note: &&BufferNote<T>| matches!(note, BufferNote::Update { .. });
        let parameters = self.entries.iter().filter(|(key, _)| matches!(key.0, Owner::Param(_)));
        (parameters.count(), self.buffer_notes.iter().filter(is_update).count())
    }

    /// The pending updates `buffer ← decay · buffer + value` of a buffer, as decay and value, in the order of the forward passes.
    pub(crate) fn updates_of(&self, buffer: &Param<T>) -> impl Iterator<Item = (f64, &Tensor<T>)> {
        self.notes_of(buffer).iter().filter_map(|note| match note {
            BufferNote::Update { decay, value, .. } => Some((*decay, value)),
            BufferNote::ReadInitial { .. } => None,
        })
    }

    /// Gradients and updates of buffers from elsewhere; where a gradient is missing, the reason is that of `self`, if it has one.
    pub(crate) fn replaced<'a>(
        self,
        gradients: impl Iterator<Item = (&'a Param<T>, Gradient<T>)>,
        updates: impl Iterator<Item = (&'a Param<T>, f64, Tensor<T>)>,
    ) -> Self {
        let note = |(buffer, decay, value): (&Param<T>, _, _)| BufferNote::Update { buffer: buffer.id(), decay, value };
        let entries = gradients.map(|(param, gradient)| (GradientKey::<T>::key(param), gradient));
        Gradients::collect(entries, self.missing, updates.map(note).collect())
    }

    /// [`get`](Gradients::get) for callers that visit parameters in creation order: tries the entry `next` before it searches.
    pub(crate) fn get_near(&self, param: &Param<T>, next: &mut usize) -> Option<&Gradient<T>> {
        let key = GradientKey::<T>::key(param);
        let at = match self.entries.get(*next) {
            Some((other, _)) if *other == key => *next,
            _ => self.position(key)?,
        };
        *next = at + 1;
        Some(&self.entries[at].1)
    }

    /// Why there is no gradient for a parameter; `None` if there is one.
    ///
    /// [`missing`](Gradients::missing) covers all parameters of a model.
    ///
    /// ```
    /// use wengert::autograd::MissingGradient;
    /// use wengert::prelude::*;
    ///
    /// let (used, unused) = (Param::new(2.0), Param::new(3.0));
    /// let gradients = Tape::new().param(&used).square().backward();
    /// assert_eq!(gradients.why_missing(&used), None);
    /// assert_eq!(gradients.why_missing(&unused), Some(MissingGradient::NeverRead));
    /// ```
    #[inline(never)]
    pub fn why_missing(&self, param: &Param<T>) -> Option<MissingGradient> {
        if self.get(param).is_some() {
            return None;
        }
        if !param.is_trainable() {
            return Some(MissingGradient::Buffer);
        }
        let missing = self.missing.iter().find(|(id, _)| *id == param.id());
        Some(missing.map_or(MissingGradient::NeverRead, |&(_, reason)| reason))
    }

    /// The value of a buffer after the forward passes of these gradients; `None` if they did not update it.
    #[inline(never)]
    pub fn updated_buffer(&self, buffer: &Param<T>) -> Option<Tensor<T>> {
        let mut updated: Option<Tensor<T>> = None;
        for note in self.notes_of(buffer) {
            let BufferNote::Update { decay, value, .. } = note else { continue };
            updated = Some(updated.as_ref().unwrap_or(buffer.value()) * *decay + value);
        }
        updated
    }

    /// Whether a layer read running statistics in their initial state, on a tape that records and is not for training.
    pub(crate) fn read_initial_statistics(&self) -> bool {
        self.buffer_notes.iter().any(|note| matches!(note, BufferNote::ReadInitial { .. }))
    }

    /// Where a layer read this buffer in its initial state.
    pub(crate) fn initial_read(&self, buffer: &Param<T>) -> Option<&'static Location<'static>> {
        self.notes_of(buffer).iter().find_map(|note| match note {
            BufferNote::ReadInitial { at, .. } => Some(*at),
            BufferNote::Update { .. } => None,
        })
    }

    /// The records about a buffer, in the order of the forward passes.
    fn notes_of(&self, buffer: &Param<T>) -> &[BufferNote<T>] {
        let first = self.buffer_notes.partition_point(|note| note.buffer() < buffer.id());
        let count = self.buffer_notes[first..].partition_point(|note| note.buffer() == buffer.id());
        &self.buffer_notes[first..first + count]
    }

    /// For each parameter and variable, in a fixed order, the elements of the gradient that can differ from 0.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &[T]> {
        self.entries.iter().filter(|(key, _)| !key.is_intermediate()).map(|(_, gradient)| gradient.elements())
    }

    /// [`elements`](Gradients::elements), mutably.
    pub(crate) fn elements_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.entries.iter_mut().filter(|(key, _)| !key.is_intermediate()).map(|(_, gradient)| gradient.elements_mut())
    }

    /// The inner product with other gradients, `Σ ⟨g, h⟩` over the keys of both, summed in double precision.
    ///
    /// # Panics
    /// If two shapes differ.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let weight = Param::new([3.0, 4.0]);
    /// let gradients = Tape::new().param(&weight).square().sum().backward();
    /// assert_eq!(gradients.dot(&gradients), 100.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn dot(&self, other: &Self) -> f64 {
        let mut sum = 0.0;
        for (key, a) in &self.entries {
            let Some(at) = other.position(*key) else { continue };
            let b = &other.entries[at].1;
            if a.shape() != b.shape() {
                panics::direction_shape("dot", b.shape(), a.shape());
            }
            sum += a.dot(b);
        }
        sum
    }

    /// The number of gradients: of parameters, variables and retained intermediate results.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no gradients.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Gradients from sources other than a backward pass; those of the same parameter are summed.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut weight = Param::new([1.0, 2.0]);
/// let gradients: Gradients = [(&weight, tensor![10.0, 20.0])].into_iter().collect();
/// Sgd::new(0.1).step(&mut weight, &gradients);
/// assert_eq!(weight.value(), &tensor![0.0, 0.0]);
/// ```
impl<'a, T: Float> FromIterator<(&'a Param<T>, Tensor<T>)> for Gradients<T> {
    fn from_iter<I: IntoIterator<Item = (&'a Param<T>, Tensor<T>)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(param, gradient)| (param.key(), Gradient::Dense(gradient)));
        let mut gradients = Gradients::collect(entries, Vec::new(), Vec::new());
        gradients.entries.dedup_by(|(key, gradient), (earlier, sum)| {
            let again = key == earlier;
            if again {
                sum.add(gradient.clone());
            }
            again
        });
        gradients
    }
}

/// The gradient with respect to a parameter or variable.
///
/// # Panics
/// If there is none; [`Gradients::get`] returns `None` instead.
impl<T: Float, K: GradientKey<T>> Index<&K> for Gradients<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn index(&self, of: &K) -> &Tensor<T> {
        match self.get(of) {
            Some(gradient) => gradient,
            None if of.key() == Key(Owner::Nothing) => panics::gradient_of_a_constant(),
            None if of.key().is_intermediate() => panics::not_retained(&of.describe()),
            None => panics::no_gradient(&of.describe()),
        }
    }
}

/// Accumulates: sums gradients with the same key and adopts the others; buffer updates stay in order.
impl<T: Float> AddAssign for Gradients<T> {
    #[track_caller]
    #[inline(never)]
    fn add_assign(&mut self, other: Self) {
        self.buffer_notes.extend(other.buffer_notes);
        self.buffer_notes.sort_by_key(BufferNote::buffer);
        let known = |id: ParamId| self.missing.iter().any(|&(known, _)| known == id);
        let new: Vec<_> = other.missing.into_iter().filter(|&(id, _)| !known(id)).collect();
        self.missing.extend(new);
        for (key, gradient) in other.entries {
            match self.entries.binary_search_by_key(&key, |&(key, _)| key) {
                Ok(at) => self.entries[at].1.add(gradient),
                Err(at) => self.entries.insert(at, (key, gradient)),
            }
        }
    }
}

/// Scales every gradient, for example to average over several batches.
impl<T: Float> MulAssign<f64> for Gradients<T> {
    fn mul_assign(&mut self, factor: f64) {
        let factor = T::from_f64(factor);
        for (_, gradient) in &mut self.entries {
            gradient.elements_mut().iter_mut().for_each(|g| *g *= factor);
        }
    }
}

/// Scaled gradients: `a += b * 0.5`.
impl<T: Float> Mul<f64> for Gradients<T> {
    type Output = Self;
    fn mul(mut self, factor: f64) -> Self {
        self *= factor;
        self
    }
}
