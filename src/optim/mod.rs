//! Optimizers: each changes the parameters of a model by one fused pass over parameter, gradient and state.
//!
//! All of them follow PyTorch's conventions. Settings are given by chained methods, groups of parameters with settings of their
//! own by their method `group` and [`Group`].
//!
//! Around them stand the [schedules](schedule) of the learning rate, a [search](LearningRateFinder) for it, and clipping, which is
//! a method of gradients: [`Gradients::clip_norm`].

mod adadelta;
mod adagrad;
mod adam;
mod adam_variants;
mod clip;
mod early_stopping;
mod finder;
mod group;
mod lion;
mod rmsprop;
pub mod schedule;
mod sgd;
mod state;

use crate::autograd::Gradients;
use crate::nn::{Module, Path};
use crate::panics;
use crate::tensor::{Float, Tensor, same};

pub use adadelta::AdaDelta;
pub use adagrad::AdaGrad;
pub use adam::{Adam, AdamW};
pub use adam_variants::{Adamax, NAdam, RAdam};
pub use early_stopping::{EarlyStopping, StoppingState, Verdict};
pub use finder::LearningRateFinder;
pub use group::{Group, Settings, Step};
pub use lion::Lion;
pub use rmsprop::RmsProp;
pub use schedule::Schedule;
pub use sgd::Sgd;
pub use state::{Slot, State};

/// A rule that changes parameters by their gradients.
///
/// What it remembers of a parameter it keeps under the parameter's path in the model. An optimizer of one's own implements
/// [`update`](Optimizer::update) and gives access to its [`Settings`] and [`State`].
///
/// ```
/// use wengert::optim::{Settings, State, Step};
/// use wengert::prelude::*;
///
/// /// Steps of fixed length along the sign of the gradient.
/// struct SignDescent { settings: Settings, state: State }
///
/// impl Optimizer for SignDescent {
///     fn settings(&self) -> &Settings { &self.settings }
///     fn settings_mut(&mut self) -> &mut Settings { &mut self.settings }
///     fn state(&self) -> &State { &self.state }
///     fn state_mut(&mut self) -> &mut State { &mut self.state }
///     fn update(&mut self, _path: &str, parameter: &mut Tensor, gradient: &Tensor, step: &Step) {
///         *parameter += &(gradient.map(f32::signum) * -step.learning_rate);
///     }
/// }
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = SignDescent { settings: Settings::new(0.5), state: State::new() };
/// let tape = Tape::new();
/// let gradients = tape.param(&model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(model.value(), &tensor![0.5, -1.5]);
/// ```
pub trait Optimizer<T: Float = f32> {
    /// Learning rate, weight decay and groups.
    fn settings(&self) -> &Settings;

    /// The same for changing them.
    fn settings_mut(&mut self) -> &mut Settings;

    /// What is remembered of each parameter.
    fn state(&self) -> &State<T>;

    /// The same for changing it.
    fn state_mut(&mut self) -> &mut State<T>;

    /// Changes one parameter; `step` has what holds for it.
    fn update(&mut self, path: &str, parameter: &mut Tensor<T>, gradient: &Tensor<T>, step: &Step);

    /// The name of the rule, such as `Adam`, by which a checkpoint tells whose state it has.
    fn kind(&self) -> &'static str {
        let name = std::any::type_name::<Self>();
        let name = name.split('<').next().unwrap_or(name);
        name.rsplit("::").next().unwrap_or(name)
    }

    /// The number of tensors that the rule remembers of each parameter, if it is always the same, so that a state that comes from
    /// a file can be checked.
    fn tensors_per_parameter(&self) -> Option<usize> {
        None
    }

    /// The factor of the step.
    fn learning_rate(&self) -> f64 {
        self.settings().learning_rate
    }

    /// Changes the factor of the step, as schedules do.
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings_mut().learning_rate = learning_rate;
    }

    /// Changes every parameter of the model that has a gradient and is not frozen, and every buffer that a forward pass
    /// has updated; the others stay as they are.
    ///
    /// The parameters change in place: once `backward` has released the tape nothing else holds them.
    ///
    /// # Panics
    /// If a gradient, or what the optimizer remembers under a path, has another shape than the parameter, or the gradients come
    /// from a new [`BatchNorm`](crate::nn::BatchNorm) on a tape that is not for training.
    #[track_caller]
    fn step(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>) {
        gradients.check_statistics(model);
        let (mut misfit, mut next) = (None, 0);
        model.visit_mut(&mut Path::new(), &mut |path, param| {
            if let Some(value) = gradients.updated_buffer(param) {
                *param.value_mut() = value;
            }
            let (path, Some(gradient)) = (path.as_str(), gradients.get_near(param, &mut next)) else { return };
            let Some(step) = self.settings().step_for(path) else { return };
            let remembered = self.state_mut().get_mut(path).into_iter().flat_map(|slot| &slot.tensors);
            let foreign = remembered.map(Tensor::shape).find(|shape| *shape != param.shape()).map(<[usize]>::to_vec);
            if foreign.is_some() || !same(gradient.shape(), param.shape()) {
                misfit.get_or_insert((path.to_string(), param.shape().to_vec(), gradient.shape(), foreign));
                return;
            }
            self.update(path, param.value_mut(), gradient, &step);
        });
        match misfit {
            Some((path, parameter, _, Some(state))) => panics::state_shape(&path, &state, &parameter),
            Some((path, parameter, gradient, None)) => panics::gradient_of_parameter(&path, gradient, &parameter),
            None => {}
        }
    }
}

/// Gives an optimizer's settings and state to the trait, the settings that all have to its builder, and its rule, which is a
/// method `rule(&self, slot, parameter, gradient, step)`, the slot of `$tensors` tensors that it works on.
macro_rules! optimizer {
    ($name:ident, |$this:pat_param| $tensors:expr) => {
        impl<T: Float> $name<T> {
            /// The factor λ of the weight decay; whether that is L2 or decoupled is said above.
            #[track_caller]
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.settings.weight_decay = check_option("weight_decay", weight_decay, 0.0, f64::INFINITY);
                self
            }

            /// Settings of their own for some parameters; the first group that a parameter is in decides.
            ///
            /// `optimizer.group(Group::ending("bias").weight_decay(0.0))` exempts every bias from the decay.
            pub fn group(mut self, group: Group) -> Self {
                self.settings.groups.push(group);
                self
            }

            /// Goes up instead of down.
            pub fn maximize(mut self) -> Self {
                self.settings.maximize = true;
                self
            }
        }

        impl<T: Float> Optimizer<T> for $name<T> {
            fn settings(&self) -> &Settings {
                &self.settings
            }
            fn settings_mut(&mut self) -> &mut Settings {
                &mut self.settings
            }
            fn state(&self) -> &State<T> {
                &self.state
            }
            fn state_mut(&mut self) -> &mut State<T> {
                &mut self.state
            }
            fn kind(&self) -> &'static str {
                stringify!($name)
            }
            fn tensors_per_parameter(&self) -> Option<usize> {
                let $this = self;
                Some($tensors)
            }
            fn update(&mut self, path: &str, parameter: &mut Tensor<T>, gradient: &Tensor<T>, step: &Step) {
                let $this = &*self;
                let tensors = $tensors;
                // Out of the way of the rule, which reads the options.
                let mut state = std::mem::take(&mut self.state);
                let shape = parameter.dims();
                state.change(path, &shape, tensors, |slot| {
                    slot.steps += 1;
                    self.rule(slot, parameter.as_mut_slice(), gradient.as_slice(), step);
                });
                self.state = state;
            }
        }
    };
}
use optimizer;

/// Chained methods for options that are numbers in a range: of an optimizer, or of a type that is generic in what stands in brackets.
macro_rules! setters {
    ($name:ident { $($options:tt)* }) => {
        setters!([T: Float] $name<T> { $($options)* });
    };
    ([$($generics:tt)*] $type:ty { $($(#[$meta:meta])* $option:ident: $low:expr, $high:expr;)* }) => {
        impl<$($generics)*> $type {
            $($(#[$meta])*
            #[track_caller]
            pub fn $option(mut self, $option: f64) -> Self {
                self.$option = check_option(stringify!($option), $option, $low, $high);
                self
            })*
        }
    };
}
use setters;

/// The method for the two shares β of an optimizer.
macro_rules! betas {
    ($name:ident, $(#[$meta:meta])*) => {
        impl<T: Float> $name<T> {
            $(#[$meta])*
            #[track_caller]
            pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
                self.betas = (check_option("beta1", beta1, 0.0, 1.0), check_option("beta2", beta2, 0.0, 1.0));
                self
            }
        }
    };
}
use betas;

/// Checks that an option lies in `[low, high)`.
#[track_caller]
fn check_option(what: &str, value: f64, low: f64, high: f64) -> f64 {
    if !(low..high).contains(&value) {
        let range =
            if high.is_finite() { format!("at least {low} and less than {high}") } else { format!("at least {low}") };
        panics::option(what, value, &range);
    }
    value
}
