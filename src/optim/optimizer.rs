//! What training loops and checkpoints need of an optimizer.

use crate::autograd::Gradients;
use crate::nn::Module;
use crate::optim::option::check_option;
use crate::optim::{Settings, State};
use crate::tensor::Float;

/// Anything that changes a model by gradients, behind which a program can keep one of several: `Box<dyn Optimizer>`.
///
/// Nearly always that is a [`Descent`](super::Descent) by some [`Rule`](super::Rule), which is how to write another optimizer.
///
/// ```
/// use wengert::prelude::*;
///
/// let make = |name: &str| -> Box<dyn Optimizer> {
///     match name {
///         "adam" => Box::new(Adam::new(1e-3)),
///         _ => Box::new(Sgd::new(0.1).momentum(0.9)),
///     }
/// };
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = make("sgd");
/// let loss = Tape::new().param(&model).square().sum();
/// optimizer.step(&mut model, &loss.backward());
/// assert_eq!((optimizer.name(), model.value()), ("Sgd", &tensor![0.8, -1.6]));
/// ```
pub trait Optimizer<T: Float = f32> {
    /// Changes every parameter of the model that has a gradient and is not frozen, and every buffer that a forward pass has
    /// updated; the others stay as they are.
    ///
    /// The parameters change in place: once `backward` has released the tape nothing else holds them.
    ///
    /// # Panics
    /// Before anything changes: if a gradient, or what the optimizer remembers under a path, has another shape than the parameter;
    /// if the gradients are all of another model, such as a clone; if a [group](super::Group) matches no parameter.
    #[track_caller]
    fn step(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>);

    /// The name of the rule, such as `Adam`, by which a checkpoint tells whose state it has.
    fn name(&self) -> &'static str;

    /// The number of tensors that are remembered of each parameter, if it is always the same, so that a state that comes from a
    /// file can be checked.
    fn tensors_per_parameter(&self) -> Option<usize>;

    /// Learning rate, weight decay and groups.
    fn settings(&self) -> &Settings;

    /// The same, for changing them.
    fn settings_mut(&mut self) -> &mut Settings;

    /// What is remembered of each parameter.
    fn state(&self) -> &State<T>;

    /// The same, for changing it.
    fn state_mut(&mut self) -> &mut State<T>;

    /// The factor of the step.
    fn learning_rate(&self) -> f64 {
        self.settings().learning_rate
    }

    /// Changes the factor of the step, as schedules do.
    ///
    /// # Panics
    /// If it is negative or NaN.
    #[track_caller]
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings_mut().learning_rate = check_option("learning_rate", learning_rate, 0.0, f64::INFINITY);
    }
}
