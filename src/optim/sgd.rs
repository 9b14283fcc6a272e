//! Stochastic gradient descent.

use super::{Optimizer, State, check_option};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// Stochastic gradient descent, with momentum if asked for: `v ← μ v + (1 − dampening) g`, `p ← p − lr v`.
///
/// PyTorch's conventions: the first velocity is the undamped gradient, the learning rate is outside of the velocity,
/// Nesterov's step is along `g + μ v`, and weight decay is L2, `g ← g + λ p` first.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Sgd::new(0.1);
/// let tape = Tape::new();
/// let gradients = (tape.constant(1.0) * &model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(model.value(), &tensor![0.8, -1.6]);
/// ```
#[derive(Clone, Debug)]
pub struct Sgd<T: Float = f32> {
    learning_rate: f64,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    weight_decay: f64,
    velocity: State<T, 1>,
}

impl<T: Float> Sgd<T> {
    /// Plain gradient descent, `p ← p − lr g`.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Sgd {
            learning_rate: check_option("learning_rate", learning_rate, 0.0, f64::INFINITY),
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            velocity: State::new(),
        }
    }

    /// The share μ of the velocity that is kept from step to step; 0.9 is usual. Polyak 1964.
    #[track_caller]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = check_option("momentum", momentum, 0.0, f64::INFINITY);
        self
    }

    /// Takes the share `dampening` from each gradient but the first on its way into the velocity.
    pub fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }

    /// Looks ahead: steps along `g + μ v`. Nesterov 1983, in the form of Sutskever et al. 2013.
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }

    /// Adds `λ p` to each gradient: L2 regularisation with the penalty `λ/2 |p|²`.
    #[track_caller]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = check_option("weight_decay", weight_decay, 0.0, f64::INFINITY);
        self
    }
}

impl<T: Float> Optimizer<T> for Sgd<T> {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
    #[track_caller]
    fn update(&mut self, path: &str, parameter: &mut Tensor<T>, gradient: &Tensor<T>) {
        let mut settings = update::Sgd {
            learning_rate: T::from_f64(self.learning_rate),
            momentum: T::from_f64(self.momentum),
            inflow: T::from_f64(1.0 - self.dampening),
            nesterov: self.nesterov,
            weight_decay: T::from_f64(self.weight_decay),
        };
        if self.momentum == 0.0 {
            return update::sgd(parameter.as_mut_slice(), gradient.as_slice(), settings);
        }
        let slot = self.velocity.next(path, parameter);
        if slot.steps == 1 {
            settings.inflow = T::ONE;
        }
        let [velocity] = &mut slot.tensors;
        update::sgd_momentum(parameter.as_mut_slice(), gradient.as_slice(), velocity.as_mut_slice(), settings);
    }
}
