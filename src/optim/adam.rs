//! Adam and AdamW.

use crate::optim::option::check_betas;
use crate::optim::{Descent, Rule, Slot, Step};
use crate::panics::check_option;
use crate::tensor::Float;

/// Adam, Kingma and Ba 2015: `m ← β₁ m + (1 − β₁) g`, `s ← β₂ s + (1 − β₂) g²`, `p ← p − lr m̂/(√ŝ + ε)` with
/// bias-corrected estimates m̂ and ŝ.
///
/// As in PyTorch, ε is added outside the root and after the correction, and weight decay is L2: `g ← g + λ p` before the
/// update. Steps are counted per parameter. A gradient that is a [list of rows](crate::Gradients::rows) updates these rows alone.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Adam::new(0.1).betas(0.9, 0.99);
/// let tape = Tape::new();
/// let gradients = tape.param(&model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(format!("{:.4}", model.value()), "[ 0.9 -1.9]"); // the first step has the length lr
/// ```
pub type Adam<T = f32> = Descent<AdamRule<false>, T>;

/// [`Adam`] with decoupled weight decay: `p ← p − lr λ p` before the step. Loshchilov and Hutter 2019.
pub type AdamW<T = f32> = Descent<AdamRule<true>, T>;

/// The update rule of [`Adam`] and, with `DECOUPLED` weight decay, of [`AdamW`].
#[derive(Clone, Debug)]
pub struct AdamRule<const DECOUPLED: bool> {
    betas: (f64, f64),
    epsilon: f64,
    amsgrad: bool,
}

impl<T: Float> Adam<T> {
    /// Creates Adam with β = (0.9, 0.999), ε = 1e-8 and no weight decay.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(AdamRule::DEFAULT, learning_rate)
    }
}

impl<T: Float> AdamW<T> {
    /// Creates AdamW with β = (0.9, 0.999), ε = 1e-8 and λ = 0.01.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(AdamRule::DEFAULT, learning_rate).weight_decay(0.01)
    }
}

impl<const DECOUPLED: bool, T: Float> Descent<AdamRule<DECOUPLED>, T> {
    /// Sets the decay rates of the mean gradient and of the mean square; 0.9 and 0.999 by default.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.rule.betas = check_betas(beta1, beta2);
        self
    }

    /// Sets the ε added to the denominator; 1e-8 by default.
    #[track_caller]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.rule.epsilon = check_option("epsilon", epsilon, 0.0..);
        self
    }

    /// Enables AMSGrad: divides by the largest mean square so far, so that the effective learning rate never increases. Reddi
    /// et al. 2018.
    pub fn amsgrad(mut self) -> Self {
        self.rule.amsgrad = true;
        self
    }
}

impl<const DECOUPLED: bool> AdamRule<DECOUPLED> {
    const DEFAULT: Self = AdamRule { betas: (0.9, 0.999), epsilon: 1e-8, amsgrad: false };
}

impl<const DECOUPLED: bool, T: Float> Rule<T> for AdamRule<DECOUPLED> {
    fn name(&self) -> &'static str {
        if DECOUPLED { "AdamW" } else { "Adam" }
    }
    fn tensors(&self) -> usize {
        if self.amsgrad { 3 } else { 2 }
    }
    fn sparse(&self, _: &Slot<T>, _: &Step) -> bool {
        true
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let (beta1, beta2) = self.betas;
        let step_size = step.learning_rate / (1.0 - beta1.powi(slot.steps));
        let correction = 1.0 / (1.0 - beta2.powi(slot.steps)).sqrt();
        let [step_size, correction, epsilon] = [step_size, correction, self.epsilon].map(T::from_f64);
        let [one_minus_beta1, one_minus_beta2] = [1.0 - beta1, 1.0 - beta2].map(T::from_f64);
        let [beta1, beta2] = [beta1, beta2].map(T::from_f64);
        let moments = |g: T, m: T, s: T| (beta1 * m + one_minus_beta1 * g, beta2 * s + one_minus_beta2 * g * g);
        let stepped = |p: T, m: T, s: T| p - step_size * m / (s.sqrt() * correction + epsilon);
        let step = if DECOUPLED { step.decoupled() } else { *step };
        if self.amsgrad {
            return slot.elementwise(parameter, gradient, &step, |p, g, [m, s, largest]| {
                let (m, s) = moments(g, m, s);
                let largest = largest.maximum(s);
                (stepped(p, m, largest), [m, s, largest])
            });
        }
        slot.elementwise(parameter, gradient, &step, |p, g, [m, s]| {
            let (m, s) = moments(g, m, s);
            (stepped(p, m, s), [m, s])
        });
    }
}
