//! Adamax, NAdam and RAdam: variants of Adam.

use super::{Group, Optimizer, Settings, Slot, State, Step, betas, check_option, optimizer, setters};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// Adamax, Kingma and Ba 2015: [`Adam`](super::Adam) with the largest gradient for the mean square,
/// `u ← max(β₂ u, |g| + ε)`, `p ← p − lr m̂/u`. Weight decay is L2.
#[derive(Clone, Debug)]
pub struct Adamax<T: Float = f32> {
    settings: Settings,
    betas: (f64, f64),
    epsilon: f64,
    state: State<T>,
}
optimizer!(Adamax, |_| 2);
betas!(Adamax, /// The shares of the mean gradient and of the size of gradients that are kept from step to step.
);

setters!(Adamax {
    /// The ε that is added to the denominator.
    epsilon: 0.0, f64::INFINITY;
});

impl<T: Float> Adamax<T> {
    /// Adamax with β = (0.9, 0.999) and ε = 1e-8.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Adamax { settings: Settings::new(learning_rate), betas: (0.9, 0.999), epsilon: 1e-8, state: State::new() }
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let ((beta1, beta2), decay) = (self.betas, step.l2::<T>());
        let size = T::from_f64(step.learning_rate / (1.0 - beta1.powi(slot.steps)));
        let [beta1, rest1, beta2, epsilon] = [beta1, 1.0 - beta1, beta2, self.epsilon].map(T::from_f64);
        let [m, u] = slot.slices();
        update::with_two(p, g, m, u, |p, g, [m, u]| {
            let (p, g) = decay.apply(p, g);
            let (m, u) = (beta1 * m + rest1 * g, (beta2 * u).maximum(g.abs() + epsilon));
            (p - size * m / u, [m, u])
        });
    }
}

/// NAdam, Dozat 2016: [`Adam`](super::Adam) with Nesterov's look ahead, and a momentum that grows from β₁/2 to β₁:
/// `μₜ = β₁ (1 − 0.96^(t ψ)/2)`. Weight decay is L2, or [decoupled](NAdam::decoupled).
#[derive(Clone, Debug)]
pub struct NAdam<T: Float = f32> {
    settings: Settings,
    betas: (f64, f64),
    epsilon: f64,
    momentum_decay: f64,
    decoupled: bool,
    state: State<T>,
}
optimizer!(NAdam, |_| 2);
betas!(NAdam, /// The shares of the mean gradient and of the size of gradients that are kept from step to step.
);

setters!(NAdam {
    /// The ε that is added to the denominator.
    epsilon: 0.0, f64::INFINITY;
    /// How fast the momentum grows: the ψ of `0.96^(t ψ)`.
    momentum_decay: 0.0, f64::INFINITY;
});

impl<T: Float> NAdam<T> {
    /// NAdam with β = (0.9, 0.999), ε = 1e-8 and ψ = 0.004.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings::new(learning_rate);
        NAdam {
            settings,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            momentum_decay: 0.004,
            decoupled: false,
            state: State::new(),
        }
    }

    /// Decouples the weight decay, as in [`AdamW`](super::AdamW).
    pub fn decoupled(mut self) -> Self {
        self.decoupled = true;
        self
    }

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let momentum = |t: i32| beta1 * (1.0 - 0.5 * 0.96f64.powf(f64::from(t) * self.momentum_decay));
        let (now, next) = (momentum(slot.steps), momentum(slot.steps + 1));
        slot.product *= now;
        let gradient = step.learning_rate * (1.0 - now) / (1.0 - slot.product);
        let mean = step.learning_rate * next / (1.0 - slot.product * next);
        let decay = if self.decoupled { step.decoupled() } else { step.l2::<T>() };
        let correction = 1.0 / (1.0 - beta2.powi(slot.steps));
        let [gradient, mean, correction, epsilon] = [gradient, mean, correction, self.epsilon].map(T::from_f64);
        let [beta1, beta2, rest1, rest2] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let [m, s] = slot.slices();
        update::with_two(p, g, m, s, |p, g, [m, s]| {
            let (p, g) = decay.apply(p, g);
            let (m, s) = (beta1 * m + rest1 * g, beta2 * s + rest2 * g * g);
            let d = (s * correction).sqrt() + epsilon;
            (p - gradient * g / d - mean * m / d, [m, s])
        });
    }
}

/// RAdam, Liu et al. 2020: [`Adam`](super::Adam) whose step is rectified for the variance of the first mean squares, and
/// plain momentum as long as that cannot be estimated. Weight decay is L2, or [decoupled](RAdam::decoupled).
#[derive(Clone, Debug)]
pub struct RAdam<T: Float = f32> {
    settings: Settings,
    betas: (f64, f64),
    epsilon: f64,
    decoupled: bool,
    state: State<T>,
}
optimizer!(RAdam, |_| 2);
betas!(RAdam, /// The shares of the mean gradient and of the size of gradients that are kept from step to step.
);

setters!(RAdam {
    /// The ε that is added to the denominator.
    epsilon: 0.0, f64::INFINITY;
});

impl<T: Float> RAdam<T> {
    /// RAdam with β = (0.9, 0.999) and ε = 1e-8.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings::new(learning_rate);
        RAdam { settings, betas: (0.9, 0.999), epsilon: 1e-8, decoupled: false, state: State::new() }
    }

    /// Decouples the weight decay, as in [`AdamW`](super::AdamW).
    pub fn decoupled(mut self) -> Self {
        self.decoupled = true;
        self
    }

    /// The factor of the step at step `t`, and whether it is divided by the root mean square.
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

    fn rule(&self, slot: &mut Slot<T>, p: &mut [T], g: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let (factor, adaptive) = self.rectification(slot.steps);
        let size = T::from_f64(step.learning_rate / (1.0 - beta1.powi(slot.steps)) * factor);
        let decay = if self.decoupled { step.decoupled() } else { step.l2::<T>() };
        let [beta1, beta2, rest1, rest2] = [beta1, beta2, 1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let epsilon = T::from_f64(self.epsilon);
        let [m, s] = slot.slices();
        update::with_two(p, g, m, s, |p, g, [m, s]| {
            let (p, g) = decay.apply(p, g);
            let (m, s) = (beta1 * m + rest1 * g, beta2 * s + rest2 * g * g);
            let d = if adaptive { s.sqrt() + epsilon } else { T::ONE };
            (p - size * m / d, [m, s])
        });
    }
}
