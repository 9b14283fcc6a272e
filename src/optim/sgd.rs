//! Stochastic gradient descent.

use crate::optim::{Descent, Rule, Slot, Step};
use crate::panics::{self, check_option};
use crate::tensor::Float;

/// Stochastic gradient descent with optional momentum: `v ← μ v + (1 − dampening) g`, `p ← p − lr v`.
///
/// As in PyTorch, the first velocity is the undamped gradient, the learning rate is not part of the velocity, the Nesterov step
/// is along `g + μ v`, and weight decay is L2: `g ← g + λ p` before the update.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Sgd::new(0.1);
/// let tape = Tape::new();
/// let gradients = tape.param(&model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(model.value(), &tensor![0.8, -1.6]);
/// ```
pub type Sgd<T = f32> = Descent<SgdRule, T>;

/// The update rule of [`Sgd`].
#[derive(Clone, Copy, Debug)]
pub struct SgdRule {
    momentum: f64,
    dampening: f64,
    nesterov: bool,
}

impl<T: Float> Sgd<T> {
    /// Creates plain gradient descent, `p ← p − lr g`.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[doc(alias("Momentum", "MomentumSGD", "Nesterov"))]
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Descent::with_rule(SgdRule { momentum: 0.0, dampening: 0.0, nesterov: false }, learning_rate)
    }

    /// Enables Nesterov momentum: steps along `g + μ v`. Nesterov 1983, in the form of Sutskever et al. 2013.
    ///
    /// # Panics
    /// If the momentum is 0, or there is dampening.
    #[track_caller]
    pub fn nesterov(self) -> Self {
        let rule = SgdRule { nesterov: true, ..self.rule };
        self.with_options(rule)
    }

    /// Sets the momentum μ, the decay rate of the velocity; typically 0.9. Polyak 1964.
    #[track_caller]
    pub fn momentum(self, momentum: f64) -> Self {
        let rule = SgdRule { momentum: check_option("momentum", momentum, 0.0..), ..self.rule };
        self.with_options(rule)
    }

    /// Sets the dampening, the fraction of each gradient after the first that is not added to the velocity.
    #[track_caller]
    pub fn dampening(self, dampening: f64) -> Self {
        let rule = SgdRule { dampening: check_option("dampening", dampening, 0.0..1.0), ..self.rule };
        self.with_options(rule)
    }

    #[track_caller]
    fn with_options(mut self, rule: SgdRule) -> Self {
        if rule.nesterov && (rule.momentum == 0.0 || rule.dampening != 0.0) {
            panics::nesterov(rule.momentum, rule.dampening);
        }
        self.rule = rule;
        self
    }
}

impl<T: Float> Rule<T> for SgdRule {
    fn name(&self) -> &'static str {
        "Sgd"
    }
    fn tensors(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }
    fn sparse(&self, _: &Slot<T>, step: &Step) -> bool {
        self.momentum == 0.0 && step.weight_decay == 0.0
    }
    #[inline(never)]
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step) {
        let (nesterov, rate) = (self.nesterov, T::from_f64(step.learning_rate));
        if self.momentum == 0.0 {
            return slot.elementwise(parameter, gradient, step, |p, g, []| (p - rate * g, []));
        }
        let dampened = if slot.steps == 1 { 1.0 } else { 1.0 - self.dampening };
        let [momentum, dampened] = [self.momentum, dampened].map(T::from_f64);
        slot.elementwise(parameter, gradient, step, |p, g, [v]| {
            let v = momentum * v + dampened * g;
            (p - rate * if nesterov { g + momentum * v } else { v }, [v])
        });
    }
}
