//! The [`Optimizer`] trait, the interface for training loops and checkpoints.

use crate::autograd::Gradients;
use crate::nn::Module;
use crate::optim::{Settings, State};
use crate::panics::check_option;
use crate::tensor::Float;

/// An optimizer: updates a model from gradients. The trait is dyn-compatible, so an optimizer can be chosen at run time as a
/// `Box<dyn Optimizer>`.
///
/// Nearly all implementations are a [`Descent`](super::Descent) with some [`Rule`](super::Rule); custom optimizers implement
/// `Rule`.
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
    /// Updates all parameters of the model that have a gradient and are not frozen, and all buffers updated by the forward
    /// pass; the others are unchanged.
    ///
    /// Parameters are updated in place: once `backward` has released the tape, nothing else references them.
    ///
    /// # Panics
    /// If the shape of a gradient, or of the optimizer state for a path, differs from that of the parameter; if all gradients
    /// belong to another model, such as a clone; if the [state](State) is that of another model; if a [group](super::Group) matches no parameter. The step panics before any
    /// change.
    #[doc(alias = "apply_gradients")]
    #[track_caller]
    fn step(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>);

    /// The name of the rule, such as `Adam`, which identifies its state in a checkpoint.
    fn name(&self) -> &'static str;

    /// The number of state tensors per parameter, if it is the same for all; used to check a state loaded from a file.
    fn tensors_per_parameter(&self) -> Option<usize>;

    /// The learning rate, weight decay and groups.
    fn settings(&self) -> &Settings;

    /// The mutable settings.
    fn settings_mut(&mut self) -> &mut Settings;

    /// The state of each parameter.
    fn state(&self) -> &State<T>;

    /// The mutable state.
    fn state_mut(&mut self) -> &mut State<T>;

    /// The learning rate.
    fn learning_rate(&self) -> f64 {
        self.settings().learning_rate
    }

    /// Sets the learning rate, for example from a schedule.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN.
    #[doc(alias = "lr")]
    #[track_caller]
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings_mut().learning_rate = check_option("learning_rate", learning_rate, 0.0..);
    }
}
