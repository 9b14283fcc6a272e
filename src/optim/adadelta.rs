//! AdaDelta.

use crate::optim::option::setters;
use crate::optim::{Descent, Rule, Slot, Step};
use crate::tensor::Float;

/// AdaDelta, Zeiler 2012: `s ← ρ s + (1 − ρ) g²`, `d = g √(u + ε)/√(s + ε)`, `u ← ρ u + (1 − ρ) d²`, `p ← p − lr d`.
///
/// ε is added under the roots; weight decay is L2.
///
/// ```
/// # use wengert::optim::AdaDelta;
/// # use wengert::prelude::*;
/// let optimizer: AdaDelta = AdaDelta::new(1.0).rho(0.95);
/// # assert_eq!(optimizer.learning_rate(), 1.0);
/// ```
pub type AdaDelta<T = f32> = Descent<AdaDeltaRule, T>;

/// The update rule of [`AdaDelta`].
#[derive(Clone, Debug)]
pub struct AdaDeltaRule {
    rho: f64,
    epsilon: f64,
}

impl<T: Float> AdaDelta<T> {
    /// Creates AdaDelta with ρ = 0.9 and ε = 1e-6; the usual learning rate is 1.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(AdaDeltaRule { rho: 0.9, epsilon: 1e-6 }, learning_rate)
    }
}

setters!(AdaDelta<T> {
    /// Sets the ε added under both roots.
    epsilon: 0.0..;
    /// Sets the decay rate ρ of both mean squares.
    rho: 0.0..1.0;
});

impl<T: Float> Rule<T> for AdaDeltaRule {
    fn name(&self) -> &'static str {
        "AdaDelta"
    }
    fn tensors(&self) -> usize {
        2
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let [rate, epsilon] = [step.learning_rate, self.epsilon].map(T::from_f64);
        let [rho, one_minus_rho] = [self.rho, 1.0 - self.rho].map(T::from_f64);
        slot.elementwise(parameter, gradient, step, |p, g, [s, u]| {
            let s = rho * s + one_minus_rho * g * g;
            let d = (u + epsilon).sqrt() / (s + epsilon).sqrt() * g;
            (p - rate * d, [s, rho * u + one_minus_rho * d * d])
        });
    }
}
