//! RMSProp.

use crate::optim::option::setters;
use crate::optim::{Descent, Rule, Slot, Step};
use crate::tensor::Float;

/// RMSProp, Tieleman and Hinton 2012: `s ← α s + (1 − α) g²`, `p ← p − lr g/(√s + ε)`.
///
/// Centered, the variance `s − m²` with the mean gradient m takes the place of s (Graves 2013); with momentum the quotients are
/// summed up, `b ← μ b + g/(√s + ε)`, and the step is along b. ε is outside the root; weight decay is L2. It remembers s, and m and b
/// if these options need them.
///
/// ```
/// # use wengert::optim::RmsProp;
/// # use wengert::prelude::*;
/// let optimizer: RmsProp = RmsProp::new(0.01).centered().momentum(0.9);
/// # assert_eq!(optimizer.learning_rate(), 0.01);
/// ```
pub type RmsProp<T = f32> = Descent<RmsPropRule, T>;

/// The rule of [`RmsProp`].
#[derive(Clone, Debug)]
pub struct RmsPropRule {
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    centered: bool,
}

impl<T: Float> RmsProp<T> {
    /// RMSProp with α = 0.99, ε = 1e-8, neither centered nor with momentum.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN; the setters likewise check their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(RmsPropRule { alpha: 0.99, epsilon: 1e-8, momentum: 0.0, centered: false }, learning_rate)
    }

    /// Divides by the standard deviation of the gradient instead of its root mean square.
    pub fn centered(mut self) -> Self {
        self.rule.centered = true;
        self
    }
}

setters!(RmsProp<T> {
    /// The ε that is added to the denominator.
    epsilon: 0.0, f64::INFINITY;
    /// The share α of the mean square that is kept from step to step.
    alpha: 0.0, 1.0;
    /// The share μ of the summed steps that is kept from step to step.
    momentum: 0.0, f64::INFINITY;
});

impl<T: Float> Rule<T> for RmsPropRule {
    fn name(&self) -> &'static str {
        "RmsProp"
    }
    fn tensors(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum != 0.0)
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let [rate, epsilon, momentum] = [step.learning_rate, self.epsilon, self.momentum].map(T::from_f64);
        let [alpha, one_minus_alpha] = [self.alpha, 1.0 - self.alpha].map(T::from_f64);
        let mean_square = |s: T, g: T| alpha * s + one_minus_alpha * g * g;
        let mean = |m: T, g: T| alpha * m + one_minus_alpha * g;
        let quotient = |g: T, square: T| g / (square.sqrt() + epsilon);
        match (self.centered, self.momentum != 0.0) {
            (false, false) => slot.elementwise(parameter, gradient, step, |p, g, [s]| {
                let s = mean_square(s, g);
                (p - rate * quotient(g, s), [s])
            }),
            (true, false) => slot.elementwise(parameter, gradient, step, |p, g, [s, m]| {
                let (s, m) = (mean_square(s, g), mean(m, g));
                (p - rate * quotient(g, s - m * m), [s, m])
            }),
            (false, true) => slot.elementwise(parameter, gradient, step, |p, g, [s, b]| {
                let s = mean_square(s, g);
                let b = momentum * b + quotient(g, s);
                (p - rate * b, [s, b])
            }),
            (true, true) => slot.elementwise(parameter, gradient, step, |p, g, [s, m, b]| {
                let (s, m) = (mean_square(s, g), mean(m, g));
                let b = momentum * b + quotient(g, s - m * m);
                (p - rate * b, [s, m, b])
            }),
        }
    }
}
