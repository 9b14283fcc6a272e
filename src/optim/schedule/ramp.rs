//! Warm-up schedules.

use super::{Schedule, check_learning_rate, check_steps};
use crate::optim::option::setters;
use crate::panics::check_option;

/// A reduced learning rate for the first steps: `lr factor` while `t < steps`, then `lr`. PyTorch's `ConstantLR`.
///
/// ```
/// use wengert::optim::schedule::Constant;
/// use wengert::prelude::*;
///
/// let schedule = Constant::new(0.1, 0.25, 7);
/// assert_eq!((schedule.at(6), schedule.at(7)), (0.025, 0.1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Constant {
    learning_rate: f64,
    factor: f64,
    steps: usize,
}

impl Constant {
    /// Creates a schedule that multiplies the learning rate by `factor` for the first `steps` steps.
    ///
    /// # Panics
    /// If the learning rate or the factor is negative or NaN.
    #[doc(alias = "ConstantLR")]
    #[track_caller]
    pub fn new(learning_rate: f64, factor: f64, steps: usize) -> Self {
        let factor = check_option("factor", factor, 0.0..);
        Constant { learning_rate: check_learning_rate(learning_rate), factor, steps }
    }
}

impl Schedule for Constant {
    fn at(&self, step: usize) -> f64 {
        if step < self.steps { self.learning_rate * self.factor } else { self.learning_rate }
    }
}

/// A linear ramp between two factors of the learning rate, constant afterwards: `lr (a + (b − a) min(t / steps, 1))`.
/// PyTorch's `LinearLR`.
///
/// From a small factor to 1 it is the warm-up of Goyal et al. 2017, "Accurate, large minibatch SGD"; from 1 to 0 a linear
/// decay.
///
/// ```
/// use wengert::optim::schedule::LinearRamp;
/// use wengert::prelude::*;
///
/// let warm_up = LinearRamp::new(0.1, 4).start_factor(0.5);
/// assert_eq!((warm_up.at(0), warm_up.at(2), warm_up.at(9)), (0.05, 0.1 * 0.75, 0.1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct LinearRamp {
    learning_rate: f64,
    steps: usize,
    start_factor: f64,
    end_factor: f64,
}

setters!(LinearRamp {
    /// Sets the initial factor a; 1/3 by default.
    start_factor: 0.0..;
    /// Sets the final factor b; 1 by default.
    end_factor: 0.0..;
});

impl LinearRamp {
    /// Creates a ramp from a third of the learning rate to the full learning rate over `steps` steps.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[doc(alias("LinearLR", "warmup"))]
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        let learning_rate = check_learning_rate(learning_rate);
        LinearRamp { learning_rate, steps: check_steps(steps), start_factor: 1.0 / 3.0, end_factor: 1.0 }
    }
}

impl Schedule for LinearRamp {
    fn at(&self, step: usize) -> f64 {
        let progress = step.min(self.steps) as f64 / self.steps as f64;
        self.learning_rate * (self.start_factor + (self.end_factor - self.start_factor) * progress)
    }
}
