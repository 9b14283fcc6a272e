//! AdaGrad.

use crate::optim::option::setters;
use crate::optim::{Descent, Rule, Slot, Step};
use crate::tensor::Float;

/// AdaGrad, Duchi et al. 2011: `s ← s + g²`, `p ← p − lr g/(√s + ε)`. The sum only grows, so the steps shrink
/// toward 0.
///
/// ε is added outside the root; weight decay is L2.
///
/// ```
/// # use wengert::optim::AdaGrad;
/// # use wengert::prelude::*;
/// let optimizer: AdaGrad = AdaGrad::new(0.01).learning_rate_decay(1e-3);
/// # assert_eq!(optimizer.learning_rate(), 0.01);
/// ```
pub type AdaGrad<T = f32> = Descent<AdaGradRule, T>;

/// The update rule of [`AdaGrad`].
#[derive(Clone, Debug)]
pub struct AdaGradRule {
    learning_rate_decay: f64,
    initial_accumulator: f64,
    epsilon: f64,
}

impl<T: Float> AdaGrad<T> {
    /// Creates AdaGrad with ε = 1e-10, an initial sum of 0, no learning rate decay and no weight decay.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let rule = AdaGradRule { learning_rate_decay: 0.0, initial_accumulator: 0.0, epsilon: 1e-10 };
        Descent::with_rule(rule, learning_rate)
    }
}

setters!(AdaGrad<T> {
    /// Sets the ε added to the denominator.
    epsilon: 0.0..;
    /// Sets the learning rate decay: the learning rate is divided by `1 + (t − 1) decay` at step t.
    learning_rate_decay: 0.0..;
    /// Sets the initial value of the sum of squares.
    initial_accumulator: 0.0..;
});

impl<T: Float> Rule<T> for AdaGradRule {
    fn name(&self) -> &'static str {
        "AdaGrad"
    }
    fn tensors(&self) -> usize {
        1
    }
    fn sparse(&self, slot: &Slot<T>, step: &Step) -> bool {
        step.weight_decay == 0.0 && (self.initial_accumulator == 0.0 || slot.steps > 0)
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let initial = if slot.steps == 1 { self.initial_accumulator } else { 0.0 };
        let rate = step.learning_rate / (1.0 + f64::from(slot.steps - 1) * self.learning_rate_decay);
        let [rate, epsilon, initial] = [rate, self.epsilon, initial].map(T::from_f64);
        slot.elementwise(parameter, gradient, step, |p, g, [s]| {
            let s = s + initial + g * g;
            (p - rate * g / (s.sqrt() + epsilon), [s])
        });
    }
}
