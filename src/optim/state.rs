//! The state of an optimizer, keyed by parameter path.

use crate::kernel::update;
use crate::optim::Step;
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;

/// The state of an optimizer: one [`Slot`] for each parameter it has updated.
#[derive(Clone, Debug)]
pub struct State<T: Float = f32> {
    /// Paths and slots, in the order of the first update.
    slots: Vec<(String, Slot<T>)>,
    /// Indices into `slots` by path.
    positions: BTreeMap<String, usize>,
}

/// The optimizer state of one parameter.
#[derive(Clone, Debug)]
pub struct Slot<T: Float = f32> {
    /// The number of steps of the parameter, including the current one: the [rule](super::Rule) sees 1 in the first step.
    pub steps: i32,
    /// A running product, initially 1, for rules that need one.
    pub product: f64,
    /// Tensors of the parameter's shape, initially zero, such as a velocity.
    pub tensors: Vec<Tensor<T>>,
}

impl<T: Float> State<T> {
    /// Creates an empty state.
    pub fn new() -> Self {
        State { slots: Vec::new(), positions: BTreeMap::new() }
    }

    /// The slot of the parameter at a path.
    pub fn get(&self, path: &str) -> Option<&Slot<T>> {
        self.positions.get(path).map(|&at| &self.slots[at].1)
    }

    /// Iterates over the paths and their slots, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Slot<T>)> {
        self.positions.iter().map(|(path, &at)| (path.as_str(), &self.slots[at].1))
    }

    /// Inserts or replaces the slot of the parameter at a path.
    pub fn insert(&mut self, path: &str, slot: Slot<T>) {
        match self.positions.get(path) {
            Some(&at) => self.slots[at].1 = slot,
            None => self.push(path.into(), slot),
        }
    }

    /// Adds the slot of a new parameter.
    pub(super) fn push(&mut self, path: String, slot: Slot<T>) {
        self.positions.insert(path.clone(), self.slots.len());
        self.slots.push((path, slot));
    }

    /// The index of a path. Tries `next` first: a traversal of the model visits the paths in the same order as the last one, so
    /// the slot is usually there.
    pub(super) fn position(&self, path: &str, next: &mut usize) -> Option<usize> {
        let at = match self.slots.get(*next) {
            Some((other, _)) if other == path => *next,
            _ => *self.positions.get(path)?,
        };
        *next = at + 1;
        Some(at)
    }

    /// The path and the slot at an index.
    pub(super) fn at(&self, position: usize) -> (&str, &Slot<T>) {
        let (path, slot) = &self.slots[position];
        (path, slot)
    }

    pub(super) fn slot_mut(&mut self, position: usize) -> &mut Slot<T> {
        &mut self.slots[position].1
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

impl<T: Float> Default for State<T> {
    fn default() -> Self {
        State::new()
    }
}

impl<T: Float> Slot<T> {
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
    /// [`Step::decay`]. The pass is vectorized, and multithreaded if the parameter is large.
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
    pub fn elementwise<const N: usize>(
        &mut self,
        parameter: &mut [T],
        gradient: &[T],
        step: &Step,
        update: impl Fn(T, T, [T; N]) -> (T, [T; N]) + Sync,
    ) {
        let decay = step.decay();
        update::elementwise(parameter, gradient, self.slices(), |p, g, state| {
            let (p, g) = decay(p, g);
            update(p, g, state)
        });
    }
}
