//! The [`Rule`] trait, the arithmetic of an optimizer.

use crate::optim::{Slot, Step};
use crate::tensor::Float;

/// An update rule for parameters: [`Descent`](super::Descent) turns it into an optimizer.
///
/// `Descent` manages the learning rate, weight decay, groups and the state of each parameter, and looks up the gradients; the
/// rule is only the arithmetic. Most rules are elementwise and use [`Slot::elementwise`], a single pass that is as fast as
/// the built-in optimizers. A rule that needs more, such as the norm of the gradient, works on the slices:
///
/// ```
/// use wengert::optim::{Descent, Rule, Slot, Step};
/// use wengert::prelude::*;
///
/// /// Momentum with the gradient of each tensor normalized to length 1.
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
    /// The name of the rule, such as `Adam`, which identifies its state in a checkpoint.
    fn name(&self) -> &'static str;

    /// The number of state tensors per parameter. It may depend on the options of the rule.
    fn tensors(&self) -> usize;

    /// Updates a parameter, with elements in row-major order, and its state; `step` holds the settings of the parameter for
    /// this step.
    fn update(&self, slot: &mut Slot<T>, parameter: &mut [T], gradient: &[T], step: &Step);

    /// Whether the next update of a gradient that is a [list of rows](crate::Gradients::rows) is restricted to these rows of
    /// parameter and state; otherwise, which is the default, the gradient is written out as a tensor. If so,
    /// [`update`](Rule::update) gets these rows as `gradient`, and their indices as [`Step::rows`]; it has to use
    /// [`Slot::elementwise`], or look at them itself.
    ///
    /// | optimizer | a gradient of rows |
    /// |---|---|
    /// | `Sgd` | updates these rows, which is exact; with momentum or weight decay all rows |
    /// | `AdaGrad` | updates these rows, which is exact; with weight decay all rows, as in the first step with an initial accumulator |
    /// | `Adam`, `AdamW` | updates these rows, and decays the moments and weights of these rows only, like PyTorch's `SparseAdam` |
    /// | all others | updates all rows, as if the gradient were a tensor |
    ///
    /// [`Gradients::into_dense`](crate::Gradients::into_dense) makes every optimizer update all rows.
    fn sparse(&self, _slot: &Slot<T>, _step: &Step) -> bool {
        false
    }
}
