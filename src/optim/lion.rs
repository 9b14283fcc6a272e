//! Lion.

use super::{Group, Optimizer, Settings, Slot, State, Step, betas, check_option, optimizer};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// Lion, Chen et al. 2023: `p ← p − lr sign(β₁ m + (1 − β₁) g)`, `m ← β₂ m + (1 − β₂) g`: every step has the same length.
///
/// Its learning rate is usually a third to a tenth of Adam's. Weight decay is decoupled.
///
/// ```
/// # use wengert::optim::Lion;
/// # use wengert::prelude::*;
/// let optimizer: Lion = Lion::new(1e-4).weight_decay(0.1);
/// # assert_eq!(optimizer.learning_rate(), 1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct Lion<T: Float = f32> {
    settings: Settings,
    betas: (f64, f64),
    state: State<T>,
}
optimizer!(Lion, |_| 1);
betas!(Lion, /// The share of the mean gradient in the step, and the share that is kept from step to step.
);

impl<T: Float> Lion<T> {
    /// Lion with β = (0.9, 0.99) and no weight decay.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Lion { settings: Settings::new(learning_rate), betas: (0.9, 0.99), state: State::new() }
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let ((beta1, beta2), decay) = (self.betas, step.decoupled::<T>());
        let rate = T::from_f64(step.learning_rate);
        let [beta1, beta2, rest1, rest2] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let [m] = slot.slices();
        update::with_one(p, g, m, |p, g, m| {
            let (p, g) = decay.apply(p, g);
            (p - rate * (beta1 * m + rest1 * g).sign(), beta2 * m + rest2 * g)
        });
    }
}
