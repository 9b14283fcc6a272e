//! RMSProp.

use crate::optim::option::setters;
use crate::optim::{Descent, Rule, Slot, Step};
use crate::panics;
use crate::tensor::Float;

/// RMSProp, Tieleman and Hinton 2012: `s ← α s + (1 − α) g²`, `p ← p − lr g/(√s + ε)`.
///
/// If centered, the variance `max(s − m², 0)` with the mean gradient m replaces s (Graves 2013); the maximum is for rounding. With momentum, the quotients are
/// accumulated as `b ← μ b + g/(√s + ε)`, and the step is along b. ε is added outside the root; weight decay is L2. The state
/// consists of s, and of m and b if these options are set.
///
/// ```
/// # use wengert::optim::RmsProp;
/// # use wengert::prelude::*;
/// let optimizer: RmsProp = RmsProp::new(0.01).centered().momentum(0.9);
/// # assert_eq!(optimizer.learning_rate(), 0.01);
/// ```
pub type RmsProp<T = f32> = Descent<RmsPropRule, T>;

/// The update rule of [`RmsProp`].
#[derive(Clone, Debug)]
pub struct RmsPropRule {
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    centered: bool,
}

impl<T: Float> RmsProp<T> {
    /// Creates RMSProp with α = 0.99, ε = 1e-8, not centered and without momentum.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(RmsPropRule { alpha: 0.99, epsilon: 1e-8, momentum: 0.0, centered: false }, learning_rate)
    }

    /// Divides by the standard deviation of the gradient instead of its root mean square.
    ///
    /// # Panics
    /// After the first step: the state has no mean of the gradients, and another tensor would be taken for it.
    #[track_caller]
    pub fn centered(mut self) -> Self {
        if !self.rule.centered && self.state.len() > 0 {
            panics::option_after_steps("RmsProp", "centered");
        }
        self.rule.centered = true;
        self
    }
}

setters!(RmsProp<T> {
    /// Sets the ε added to the denominator.
    epsilon: 0.0..;
    /// Sets the decay rate α of the mean square.
    alpha: 0.0..1.0;
    /// Sets the momentum μ, the decay rate of the accumulated quotients.
    momentum: 0.0..;
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
        let variance = |s: T, m: T| (s - m * m).maximum(T::ZERO);
        let quotient = |g: T, square: T| g / (square.sqrt() + epsilon);
        match (self.centered, self.momentum != 0.0) {
            (false, false) => slot.elementwise(parameter, gradient, step, |p, g, [s]| {
                let s = mean_square(s, g);
                (p - rate * quotient(g, s), [s])
            }),
            (true, false) => slot.elementwise(parameter, gradient, step, |p, g, [s, m]| {
                let (s, m) = (mean_square(s, g), mean(m, g));
                (p - rate * quotient(g, variance(s, m)), [s, m])
            }),
            (false, true) => slot.elementwise(parameter, gradient, step, |p, g, [s, b]| {
                let s = mean_square(s, g);
                let b = momentum * b + quotient(g, s);
                (p - rate * b, [s, b])
            }),
            (true, true) => slot.elementwise(parameter, gradient, step, |p, g, [s, m, b]| {
                let (s, m) = (mean_square(s, g), mean(m, g));
                let b = momentum * b + quotient(g, variance(s, m));
                (p - rate * b, [s, m, b])
            }),
        }
    }
}
