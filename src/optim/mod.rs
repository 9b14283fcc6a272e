//! Optimizers: each changes the parameters of a model by one fused pass over parameter, gradient and state.

mod adam;
mod sgd;

use crate::autograd::Gradients;
use crate::nn::{Module, Path};
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::collections::BTreeMap;

pub use adam::Adam;
pub use sgd::Sgd;

/// A rule that changes parameters by their gradients.
///
/// What it remembers of a parameter it keeps under the parameter's path in the model.
pub trait Optimizer<T: Float = f32> {
    /// The factor of the step.
    fn learning_rate(&self) -> f64;

    /// Changes the factor of the step, as schedules do.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// Changes one parameter. [`step`](Optimizer::step) calls this; it is what an optimizer of one's own implements.
    fn update(&mut self, path: &str, parameter: &mut Tensor<T>, gradient: &Tensor<T>);

    /// Changes every parameter of the model that has a gradient; the others stay as they are.
    ///
    /// The parameters change in place: once `backward` has released the tape nothing else holds them.
    ///
    /// # Panics
    /// If a gradient, or what the optimizer remembers under a path, has another shape than the parameter.
    #[track_caller]
    fn step(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>) {
        let mut misfit = None;
        model.visit_mut(&mut Path::new(), &mut |path, param| {
            let Some(gradient) = gradients.get(param) else { return };
            if gradient.shape() != param.shape() {
                misfit.get_or_insert((path.to_string(), gradient.shape(), param.shape().to_vec()));
                return;
            }
            self.update(path.as_str(), param.value_mut(), gradient);
        });
        if let Some((path, gradient, parameter)) = misfit {
            panics::gradient_of_parameter(&path, gradient, &parameter);
        }
    }
}

/// What an optimizer remembers of one parameter: how often it was changed, and `K` tensors of its shape.
#[derive(Clone, Debug)]
struct Slot<T: Float, const K: usize> {
    steps: i32,
    tensors: [Tensor<T>; K],
}

/// What an optimizer remembers, by path.
#[derive(Clone, Debug)]
struct State<T: Float, const K: usize>(BTreeMap<String, Slot<T, K>>);

impl<T: Float, const K: usize> State<T, K> {
    fn new() -> Self {
        State(BTreeMap::new())
    }

    /// The slot of a parameter, zeros at first, with this step counted.
    #[track_caller]
    fn next(&mut self, path: &str, parameter: &Tensor<T>) -> &mut Slot<T, K> {
        if !self.0.contains_key(path) {
            let tensors = std::array::from_fn(|_| Tensor::zeros(parameter.shape()));
            self.0.insert(path.into(), Slot { steps: 0, tensors });
        }
        let slot = self.0.get_mut(path).expect("there, or just inserted");
        if let Some(tensor) = slot.tensors.iter().find(|tensor| tensor.shape() != parameter.shape()) {
            panics::state_shape(path, tensor.shape(), parameter.shape());
        }
        slot.steps += 1;
        slot
    }
}

/// Checks that an option lies in `[low, high)`.
#[track_caller]
fn check_option(what: &str, value: f64, low: f64, high: f64) -> f64 {
    if !(low..high).contains(&value) {
        panics::option(
            what,
            value,
            &if high.is_finite() { format!("in {low} to {high}") } else { format!("{low} or more") },
        );
    }
    value
}
