//! Adam.

use super::{Optimizer, State, check_option};
use crate::kernel::update;
use crate::tensor::{Float, Tensor};

/// Adam, Kingma and Ba 2015: `m ← β₁ m + (1 − β₁) g`, `s ← β₂ s + (1 − β₂) g²`, `p ← p − lr m̂/(√ŝ + ε)` with the
/// estimates corrected for their start at 0.
///
/// PyTorch's conventions: ε is outside of the root and added after the correction, and weight decay is L2, `g ← g + λ p` first.
/// The number of steps is counted for each parameter.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Adam::new(0.1).betas(0.9, 0.99);
/// let tape = Tape::new();
/// let gradients = (tape.constant(1.0) * &model).square().sum().backward();
/// optimizer.step(&mut model, &gradients);
/// assert_eq!(format!("{:.4}", model.value()), "[ 0.9 -1.9]"); // the first step has the length lr
/// ```
#[derive(Clone, Debug)]
pub struct Adam<T: Float = f32> {
    learning_rate: f64,
    betas: (f64, f64),
    epsilon: f64,
    weight_decay: f64,
    moments: State<T, 2>,
}

impl<T: Float> Adam<T> {
    /// Adam with β = (0.9, 0.999), ε = 1e-8 and no weight decay.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, as the options do outside of their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Adam {
            learning_rate: check_option("learning_rate", learning_rate, 0.0, f64::INFINITY),
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            weight_decay: 0.0,
            moments: State::new(),
        }
    }

    /// The shares of the mean gradient and of the mean square that are kept from step to step.
    #[track_caller]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.betas = (check_option("beta1", beta1, 0.0, 1.0), check_option("beta2", beta2, 0.0, 1.0));
        self
    }

    /// What is added to the denominator.
    #[track_caller]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = check_option("epsilon", epsilon, 0.0, f64::INFINITY);
        self
    }

    /// Adds `λ p` to each gradient: L2 regularisation with the penalty `λ/2 |p|²`.
    #[track_caller]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = check_option("weight_decay", weight_decay, 0.0, f64::INFINITY);
        self
    }
}

impl<T: Float> Optimizer<T> for Adam<T> {
    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
    #[track_caller]
    fn update(&mut self, path: &str, parameter: &mut Tensor<T>, gradient: &Tensor<T>) {
        let slot = self.moments.next(path, parameter);
        let (beta1, beta2) = self.betas;
        let settings = update::Adam {
            step_size: T::from_f64(self.learning_rate / (1.0 - beta1.powi(slot.steps))),
            beta1: T::from_f64(beta1),
            beta2: T::from_f64(beta2),
            correction: T::from_f64(1.0 / (1.0 - beta2.powi(slot.steps)).sqrt()),
            epsilon: T::from_f64(self.epsilon),
            weight_decay: T::from_f64(self.weight_decay),
        };
        let [mean, square] = &mut slot.tensors;
        let (parameter, gradient) = (parameter.as_mut_slice(), gradient.as_slice());
        update::adam(parameter, gradient, mean.as_mut_slice(), square.as_mut_slice(), settings);
    }
}
