//! Adamax, NAdam and RAdam: variants of Adam.

use crate::optim::option::{check_betas, setters};
use crate::optim::{Descent, Rule, Slot, Step};
use crate::tensor::Float;

/// Adamax, Kingma and Ba 2015: [`Adam`](super::Adam) with a decaying maximum of the gradient in place of the mean square,
/// `u ← max(β₂ u, |g| + ε)`, `p ← p − lr m̂/u`. Weight decay is L2.
pub type Adamax<T = f32> = Descent<AdamaxRule, T>;

/// The update rule of [`Adamax`].
#[derive(Clone, Debug)]
pub struct AdamaxRule {
    betas: (f64, f64),
    epsilon: f64,
}

impl<T: Float> Adamax<T> {
    /// Creates Adamax with β = (0.9, 0.999) and ε = 1e-8.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(AdamaxRule { betas: (0.9, 0.999), epsilon: 1e-8 }, learning_rate)
    }

    /// Sets the decay rates of the mean gradient and of the maximum.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.rule.betas = check_betas(beta1, beta2);
        self
    }
}

setters!(Adamax<T> {
    /// Sets the ε added to the denominator.
    epsilon: 0.0..;
});

impl<T: Float> Rule<T> for AdamaxRule {
    fn name(&self) -> &'static str {
        "Adamax"
    }
    fn tensors(&self) -> usize {
        2
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let step_size = T::from_f64(step.learning_rate / (1.0 - beta1.powi(slot.steps)));
        let one_minus_beta1 = T::from_f64(1.0 - beta1);
        let [beta1, beta2, epsilon] = [beta1, beta2, self.epsilon].map(T::from_f64);
        slot.elementwise(parameter, gradient, step, |p, g, [m, u]| {
            let (m, u) = (beta1 * m + one_minus_beta1 * g, (beta2 * u).maximum(g.abs() + epsilon));
            (p - step_size * m / u, [m, u])
        });
    }
}

/// NAdam, Dozat 2016: [`Adam`](super::Adam) with Nesterov momentum, which increases from β₁/2 to β₁:
/// `μₜ = β₁ (1 − 0.96^(t ψ)/2)`. Weight decay is L2, or [decoupled](NAdam::decoupled).
pub type NAdam<T = f32> = Descent<NAdamRule, T>;

/// The update rule of [`NAdam`].
#[derive(Clone, Debug)]
pub struct NAdamRule {
    betas: (f64, f64),
    epsilon: f64,
    momentum_decay: f64,
    decoupled: bool,
}

impl<T: Float> NAdam<T> {
    /// Creates NAdam with β = (0.9, 0.999), ε = 1e-8 and ψ = 0.004.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let rule = NAdamRule { betas: (0.9, 0.999), epsilon: 1e-8, momentum_decay: 0.004, decoupled: false };
        Descent::with_rule(rule, learning_rate)
    }

    /// Sets the decay rates of the mean gradient and of the mean square.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.rule.betas = check_betas(beta1, beta2);
        self
    }

    /// Decouples the weight decay, as in [`AdamW`](super::AdamW).
    pub fn decoupled(mut self) -> Self {
        self.rule.decoupled = true;
        self
    }
}

setters!(NAdam<T> {
    /// Sets the ε added to the denominator.
    epsilon: 0.0..;
    /// Sets the ψ of `0.96^(t ψ)`, the speed at which the momentum increases.
    momentum_decay: 0.0..;
});

impl<T: Float> Rule<T> for NAdamRule {
    fn name(&self) -> &'static str {
        "NAdam"
    }
    fn tensors(&self) -> usize {
        2
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let momentum = |t: f64| beta1 * (1.0 - 0.5 * 0.96f64.powf(t * self.momentum_decay));
        let t = f64::from(slot.steps);
        let (now, next) = (momentum(t), momentum(t + 1.0));
        slot.product *= now;
        let of_gradient = step.learning_rate * (1.0 - now) / (1.0 - slot.product);
        let of_mean = step.learning_rate * next / (1.0 - slot.product * next);
        let correction = 1.0 / (1.0 - beta2.powi(slot.steps));
        let [of_gradient, of_mean, correction] = [of_gradient, of_mean, correction].map(T::from_f64);
        let [one_minus_beta1, one_minus_beta2] = [1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let [beta1, beta2, epsilon] = [beta1, beta2, self.epsilon].map(T::from_f64);
        let step = if self.decoupled { step.decoupled() } else { *step };
        slot.elementwise(parameter, gradient, &step, |p, g, [m, s]| {
            let (m, s) = (beta1 * m + one_minus_beta1 * g, beta2 * s + one_minus_beta2 * g * g);
            let d = (s * correction).sqrt() + epsilon;
            (p - of_gradient * g / d - of_mean * m / d, [m, s])
        });
    }
}

/// RAdam, Liu et al. 2020: [`Adam`](super::Adam) with steps rectified for the variance of the early mean squares, and plain
/// momentum while that variance cannot be estimated. Weight decay is L2, or [decoupled](RAdam::decoupled).
pub type RAdam<T = f32> = Descent<RAdamRule, T>;

/// The update rule of [`RAdam`].
#[derive(Clone, Debug)]
pub struct RAdamRule {
    betas: (f64, f64),
    epsilon: f64,
    decoupled: bool,
}

impl<T: Float> RAdam<T> {
    /// Creates RAdam with β = (0.9, 0.999) and ε = 1e-8.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(RAdamRule { betas: (0.9, 0.999), epsilon: 1e-8, decoupled: false }, learning_rate)
    }

    /// Sets the decay rates of the mean gradient and of the mean square.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.rule.betas = check_betas(beta1, beta2);
        self
    }

    /// Decouples the weight decay, as in [`AdamW`](super::AdamW).
    pub fn decoupled(mut self) -> Self {
        self.rule.decoupled = true;
        self
    }
}

setters!(RAdam<T> {
    /// Sets the ε added to the denominator.
    epsilon: 0.0..;
});

impl RAdamRule {
    /// The rectification factor at step `t`, and whether the step is divided by the root mean square.
    fn rectification(&self, t: i32) -> (f64, bool) {
        let beta2 = self.betas.1;
        let limit = 2.0 / (1.0 - beta2) - 1.0;
        let power = beta2.powi(t);
        let length = limit - 2.0 * f64::from(t) * power / (1.0 - power);
        if length <= 5.0 {
            return (1.0, false);
        }
        let variance = (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
        (variance.sqrt() * (1.0 - power).sqrt(), true)
    }
}

impl<T: Float> Rule<T> for RAdamRule {
    fn name(&self) -> &'static str {
        "RAdam"
    }
    fn tensors(&self) -> usize {
        2
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let (factor, adaptive) = self.rectification(slot.steps);
        let step_size = T::from_f64(step.learning_rate / (1.0 - beta1.powi(slot.steps)) * factor);
        let [one_minus_beta1, one_minus_beta2] = [1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let [beta1, beta2, epsilon] = [beta1, beta2, self.epsilon].map(T::from_f64);
        let step = if self.decoupled { step.decoupled() } else { *step };
        slot.elementwise(parameter, gradient, &step, |p, g, [m, s]| {
            let (m, s) = (beta1 * m + one_minus_beta1 * g, beta2 * s + one_minus_beta2 * g * g);
            let d = if adaptive { s.sqrt() + epsilon } else { T::ONE };
            (p - step_size * m / d, [m, s])
        });
    }
}
