//! Lion.

use crate::optim::option::check_betas;
use crate::optim::{Descent, Rule, Slot, Step};
use crate::tensor::Float;

/// Lion, Chen et al. 2023: `p ← p − lr sign(β₁ m + (1 − β₁) g)`, `m ← β₂ m + (1 − β₂) g`. Every element
/// changes by the same amount.
///
/// The learning rate is usually a third to a tenth of Adam's. Weight decay is decoupled.
///
/// ```
/// # use wengert::optim::Lion;
/// # use wengert::prelude::*;
/// let optimizer: Lion = Lion::new(1e-4).weight_decay(0.1);
/// # assert_eq!(optimizer.learning_rate(), 1e-4);
/// ```
pub type Lion<T = f32> = Descent<LionRule, T>;

/// The update rule of [`Lion`].
#[derive(Clone, Debug)]
pub struct LionRule {
    betas: (f64, f64),
}

impl<T: Float> Lion<T> {
    /// Creates Lion with β = (0.9, 0.99) and no weight decay.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(LionRule { betas: (0.9, 0.99) }, learning_rate)
    }

    /// Sets β₁, the weight of the mean gradient in the step, and β₂, the decay rate of the mean gradient.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.rule.betas = check_betas(beta1, beta2);
        self
    }
}

impl<T: Float> Rule<T> for LionRule {
    fn name(&self) -> &'static str {
        "Lion"
    }
    fn tensors(&self) -> usize {
        1
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let rate = T::from_f64(step.learning_rate);
        let [one_minus_beta1, one_minus_beta2] = [1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let [beta1, beta2] = [beta1, beta2].map(T::from_f64);
        slot.elementwise(parameter, gradient, &step.decoupled(), |p, g, [m]| {
            (p - rate * (beta1 * m + one_minus_beta1 * g).sign(), [beta2 * m + one_minus_beta2 * g])
        });
    }
}
