//! The state of an optimizer, keyed by parameter path.

use crate::autograd::gradients::Key;
use crate::autograd::param::ParamId;
use crate::autograd::{GradientKey, Gradients, Param};
use crate::kernel::update;
use crate::optim::Step;
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

/// The state of an optimizer: one [`Slot`] for each parameter it has updated.
///
/// A slot belongs to the parameter that was updated last. A later clone of it, such as one that replaces the model, takes over
/// the slot; from then on, a step of the earlier parameter panics, and so does a step while both have gradients. A step of any
/// other parameter at the same path panics: two models need two optimizers. A slot that was [inserted](State::insert), such as
/// one from a checkpoint, belongs to the first parameter that is updated with it.
#[derive(Clone)]
pub struct State<T: Float = f32> {
    /// In the order of the first update.
    entries: Vec<Entry<T>>,
    /// Indices into `entries` by path.
    positions: BTreeMap<String, usize>,
}

/// A slot, its path, and the parameter to which it belongs.
#[derive(Clone)]
struct Entry<T: Float> {
    path: String,
    slot: Slot<T>,
    owner: Option<Owner>,
}

/// The parameter to which a slot belongs, and its origin, which it shares with its clones.
#[derive(Clone, Copy, PartialEq)]
struct Owner(Key, ParamId);

impl<T: Float> GradientKey<T> for Owner {
    fn key(&self) -> Key {
        self.0
    }
    fn describe(&self) -> String {
        "the parameter of a slot".into()
    }
}

/// The optimizer state of one parameter.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound(serialize = "T: Float + serde::Serialize")))]
#[cfg_attr(feature = "serde", serde(bound(deserialize = "T: Float + serde::Deserialize<'de>")))]
pub struct Slot<T: Float = f32> {
    /// The number of steps of the parameter, including the current one: the [rule](super::Rule) sees 1 in the first step. It
    /// stops at `i32::MAX − 1`, by which all bias corrections have long been 1.
    pub steps: i32,
    /// A running product, initially 1, for rules that need one.
    pub product: f64,
    /// Tensors of the parameter's shape, initially zero, such as a velocity.
    pub tensors: Vec<Tensor<T>>,
}

impl<T: Float> State<T> {
    /// Creates an empty state.
    pub fn new() -> Self {
        State { entries: Vec::new(), positions: BTreeMap::new() }
    }

    /// The slot of the parameter at a path.
    pub fn get(&self, path: &str) -> Option<&Slot<T>> {
        self.positions.get(path).map(|&at| &self.entries[at].slot)
    }

    /// Iterates over the paths and their slots, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Slot<T>)> {
        self.positions.iter().map(|(path, &at)| (path.as_str(), &self.entries[at].slot))
    }

    /// Inserts or replaces the slot of the parameter at a path.
    pub fn insert(&mut self, path: &str, slot: Slot<T>) {
        match self.positions.get(path) {
            Some(&at) => (self.entries[at].slot, self.entries[at].owner) = (slot, None),
            None => self.push(path.into(), slot),
        }
    }

    /// Adds the slot of a new parameter.
    pub(super) fn push(&mut self, path: String, slot: Slot<T>) {
        self.positions.insert(path.clone(), self.entries.len());
        self.entries.push(Entry { path, slot, owner: None });
    }

    /// The index of a path. Tries `next` first: a traversal of the model visits the paths in the same order as the last one, so
    /// the slot is usually there.
    pub(super) fn position(&self, path: &str, next: &mut usize) -> Option<usize> {
        let at = match self.entries.get(*next) {
            Some(entry) if entry.path == path => *next,
            _ => *self.positions.get(path)?,
        };
        *next = at + 1;
        Some(at)
    }

    /// The path and the slot at an index.
    pub(super) fn at(&self, position: usize) -> (&str, &Slot<T>) {
        let entry = &self.entries[position];
        (&entry.path, &entry.slot)
    }

    /// Whether the slot at an index belongs to another parameter that has not been replaced by the given one.
    pub(super) fn is_in_use(&self, position: usize, param: &Param<T>, gradients: &Gradients<T>) -> bool {
        let key = GradientKey::<T>::key(param);
        let other = self.entries[position].owner.filter(|owner| owner.0 != key);
        // Keys grow, so that a later clone has a larger one.
        other.is_some_and(|owner| param.origin() != owner.1 || key < owner.0 || gradients.get(&owner).is_some())
    }

    /// The slot at an index, which from now on belongs to the given parameter.
    pub(super) fn take_over(&mut self, position: usize, param: &Param<T>) -> &mut Slot<T> {
        let entry = &mut self.entries[position];
        entry.owner = Some(Owner(GradientKey::<T>::key(param), param.origin()));
        &mut entry.slot
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<T: Float> Debug for State<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Float> Default for State<T> {
    fn default() -> Self {
        State::new()
    }
}

impl<T: Float> Slot<T> {
    /// The largest number of steps, with room for the next one.
    pub(super) const MAX_STEPS: i32 = i32::MAX - 1;

    /// The slot of a parameter before its first step.
    pub(super) fn new(tensors: usize, shape: &[usize]) -> Self {
        Slot { steps: 0, product: 1.0, tensors: (0..tensors).map(|_| Tensor::zeros(shape)).collect() }
    }

    /// Mutable slices of the state tensors.
    ///
    /// # Panics
    /// If there are not `N` tensors.
    #[track_caller]
    pub fn slices<const N: usize>(&mut self) -> [&mut [T]; N] {
        if self.tensors.len() != N {
            panics::slot_tensors(self.tensors.len(), N);
        }
        let mut tensors = self.tensors.iter_mut();
        std::array::from_fn(|_| tensors.next().expect("there are N tensors").as_mut_slice())
    }

    /// One pass over a parameter, its gradient and the `N` tensors of the slot, at most four:
    /// `(p, state) = update(p, g, state)` for each element.
    ///
    /// Weight decay and the sign of the objective are applied first: `update` receives the p and g returned by
    /// [`Step::decay`]. The pass is vectorized, and multithreaded if the parameter is large. If the step has [rows](Step::rows), only
    /// these are updated.
    ///
    /// ```
    /// use wengert::optim::{Descent, Rule, Slot, Step};
    /// use wengert::prelude::*;
    ///
    /// /// Adam with ε added before the bias correction, the efficient form in section 2 of the paper.
    /// struct EfficientAdam;
    ///
    /// impl<T: Float> Rule<T> for EfficientAdam {
    ///     fn name(&self) -> &'static str {
    ///         "EfficientAdam"
    ///     }
    ///     fn tensors(&self) -> usize {
    ///         2
    ///     }
    ///     fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
    ///         let correction = (1.0 - 0.999f64.powi(slot.steps)).sqrt() / (1.0 - 0.9f64.powi(slot.steps));
    ///         let rate = T::from_f64(step.learning_rate * correction);
    ///         let [a, b, epsilon] = [0.1, 0.001, 1e-7].map(T::from_f64);
    ///         slot.elementwise(parameter, gradient, step, |p, g, [m, v]| {
    ///             let (m, v) = (m + a * (g - m), v + b * (g * g - v));
    ///             (p - rate * m / (v.sqrt() + epsilon), [m, v])
    ///         });
    ///     }
    /// }
    ///
    /// let mut model = Param::new([1.0, -2.0]);
    /// let mut optimizer = Descent::with_rule(EfficientAdam, 0.1).weight_decay(1e-4);
    /// for _ in 0..100 {
    ///     let loss = Tape::new().param(&model).square().sum();
    ///     optimizer.step(&mut model, &loss.backward());
    /// }
    /// assert!(model.value().map(|p| p * p).sum().item() < 0.01);
    /// ```
    ///
    /// # Panics
    /// If there are not `N` tensors.
    #[track_caller]
    #[inline]
    pub fn elementwise<const N: usize>(
        &mut self,
        parameter: &mut [T],
        gradient: &[T],
        step: &Step,
        update: impl Fn(T, T, [T; N]) -> (T, [T; N]) + Sync,
    ) {
        let decay = step.decay();
        update::elementwise(parameter, gradient, self.slices(), step.rows(), |p, g, state| {
            let (p, g) = decay(p, g);
            update(p, g, state)
        });
    }
}
