//! What an optimizer remembers, by the path of the parameter.

use crate::kernel::update;
use crate::optim::Step;
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;

/// What an optimizer remembers of every parameter that it has changed.
#[derive(Clone, Debug)]
pub struct State<T: Float = f32> {
    /// In the order in which the parameters were first changed.
    slots: Vec<(String, Slot<T>)>,
    /// Positions among them by path.
    positions: BTreeMap<String, usize>,
}

/// What an optimizer remembers of one parameter.
#[derive(Clone, Debug)]
pub struct Slot<T: Float = f32> {
    /// The number of steps of the parameter; at the first one it is 1 for the [rule](super::Rule).
    pub steps: i32,
    /// A running product of numbers, beginning with 1, for rules that need one.
    pub product: f64,
    /// Tensors of the parameter's shape, beginning with zeros, such as a velocity.
    pub tensors: Vec<Tensor<T>>,
}

impl<T: Float> State<T> {
    /// Nothing remembered.
    pub fn new() -> Self {
        State { slots: Vec::new(), positions: BTreeMap::new() }
    }

    /// What is remembered of the parameter at a path.
    pub fn get(&self, path: &str) -> Option<&Slot<T>> {
        self.positions.get(path).map(|&at| &self.slots[at].1)
    }

    /// Every path with what is remembered of its parameter, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Slot<T>)> {
        self.positions.iter().map(|(path, &at)| (path.as_str(), &self.slots[at].1))
    }

    /// Replaces what is remembered of the parameter at a path.
    pub fn insert(&mut self, path: &str, slot: Slot<T>) {
        match self.positions.get(path) {
            Some(&at) => self.slots[at].1 = slot,
            None => self.push(path.into(), slot),
        }
    }

    /// Adds what is remembered of a parameter that was not known.
    pub(super) fn push(&mut self, path: String, slot: Slot<T>) {
        self.positions.insert(path.clone(), self.slots.len());
        self.slots.push((path, slot));
    }

    /// The position of a path. A traversal of the model, which asks for one after another in the order of the last traversal, mostly
    /// finds the next one at the position `next`.
    pub(super) fn position(&self, path: &str, next: &mut usize) -> Option<usize> {
        let at = match self.slots.get(*next) {
            Some((other, _)) if other == path => *next,
            _ => *self.positions.get(path)?,
        };
        *next = at + 1;
        Some(at)
    }

    /// The path and the slot at a position.
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
    /// That of a parameter before its first step.
    pub(super) fn new(tensors: usize, shape: &[usize]) -> Self {
        Slot { steps: 0, product: 1.0, tensors: (0..tensors).map(|_| Tensor::zeros(shape)).collect() }
    }

    /// The elements of the tensors, for changing them in place.
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
    /// Weight decay and the direction are applied before: `update` gets p and g as [`Step::decay`] gives them. The pass uses the
    /// vector instructions of the processor, and several threads if the parameter is large.
    ///
    /// ```
    /// use wengert::optim::{Descent, Rule, Slot, Step};
    /// use wengert::prelude::*;
    ///
    /// /// Adam with ε added before the bias correction, as section 2 of the paper has it for efficiency.
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
