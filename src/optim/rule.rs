//! What tells one optimizer from another.

use crate::optim::{Slot, Step};
use crate::tensor::Float;

/// How a parameter changes by its gradient: [`Descent`](super::Descent) makes an optimizer of it.
///
/// The driver keeps the learning rate, weight decay, groups and the state of each parameter, and finds the gradients; a rule is
/// left with the arithmetic. Most rules treat all elements alike, and do that with [`Slot::elementwise`], which is one pass at the
/// speed of the optimizers here. A rule that needs more, such as the length of the gradient, works on the slices:
///
/// ```
/// use wengert::optim::{Descent, Rule, Slot, Step};
/// use wengert::prelude::*;
///
/// /// Momentum with gradients of length 1, each tensor for itself.
/// struct NormalizedMomentum {
///     momentum: f32,
/// }
///
/// impl Rule for NormalizedMomentum {
///     fn name(&self) -> &'static str {
///         "NormalizedMomentum"
///     }
///     fn tensors(&self) -> usize {
///         1 // the velocity
///     }
///     fn update(&self, slot: &mut Slot, parameter: &mut [f32], gradient: &[f32], step: &Step) {
///         let (rate, decay) = (step.learning_rate as f32, step.decay());
///         let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
///         let [velocity] = slot.slices();
///         for ((p, &g), v) in parameter.iter_mut().zip(gradient).zip(velocity) {
///             let (q, g) = decay(*p, g / norm);
///             *v = self.momentum * *v + g;
///             *p = q - rate * *v;
///         }
///     }
/// }
///
/// let mut model = Param::new([3.0, 4.0]);
/// let mut optimizer = Descent::with_rule(NormalizedMomentum { momentum: 0.9 }, 0.5);
/// let loss = Tape::new().param(&model).square().sum();
/// optimizer.step(&mut model, &loss.backward());
/// assert_eq!(format!("{:.4}", model.value()), "[2.7 3.6]");
/// ```
pub trait Rule<T: Float = f32> {
    /// The name of the rule, such as `Adam`, by which a checkpoint tells whose state it has.
    fn name(&self) -> &'static str;

    /// The number of tensors that are remembered of each parameter. It may depend on options of the rule.
    fn tensors(&self) -> usize;

    /// Changes a parameter, whose elements are in row-major order, and what is remembered of it; `step` is what holds for the
    /// parameter at this step.
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step);
}
