//! RMSProp.

use super::{Group, Optimizer, Settings, Slot, State, Step, check_option, optimizer, setters};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// RMSProp, Tieleman and Hinton 2012: `s ← α s + (1 − α) g²`, `p ← p − lr g/(√s + ε)`.
///
/// Centered, the variance `s − m²` with the mean gradient m takes the place of s (Graves 2013); with momentum the quotients are
/// summed up, `b ← μ b + g/(√s + ε)`, and the step is along b. ε is outside of the root; weight decay is L2.
///
/// ```
/// # use wengert::optim::RmsProp;
/// # use wengert::prelude::*;
/// let optimizer: RmsProp = RmsProp::new(0.01).centered().momentum(0.9);
/// # assert_eq!(optimizer.learning_rate(), 0.01);
/// ```
#[derive(Clone, Debug)]
pub struct RmsProp<T: Float = f32> {
    settings: Settings,
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    centered: bool,
    state: State<T>,
}
optimizer!(RmsProp, |_| 3);

setters!(RmsProp {
    /// The ε that is added to the denominator.
    epsilon: 0.0, f64::INFINITY;
    /// The share α of the mean square that is kept from step to step.
    alpha: 0.0, 1.0;
    /// The share μ of the summed steps that is kept from step to step.
    momentum: 0.0, f64::INFINITY;
});

impl<T: Float> RmsProp<T> {
    /// RMSProp with α = 0.99, ε = 1e-8, neither centered nor with momentum.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings::new(learning_rate);
        RmsProp { settings, alpha: 0.99, epsilon: 1e-8, momentum: 0.0, centered: false, state: State::new() }
    }

    /// Divides by the standard deviation of the gradient instead of its root mean square.
    pub fn centered(mut self) -> Self {
        self.centered = true;
        self
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let (decay, centered) = (step.l2::<T>(), self.centered);
        let [rate, epsilon, momentum] = [step.learning_rate, self.epsilon, self.momentum].map(T::from_f64);
        let [alpha, rest] = [self.alpha, 1.0 - self.alpha].map(T::from_f64);
        let [s, m, b] = slot.slices();
        update::with_three(p, g, [s, m, b], |p, g, [s, m, b]| {
            let (p, g) = decay.apply(p, g);
            let (s, m) = (alpha * s + rest * g * g, alpha * m + rest * g);
            let square = if centered { s - m * m } else { s };
            let b = momentum * b + g / (square.sqrt() + epsilon);
            (p - rate * b, [s, m, b])
        });
    }
}
