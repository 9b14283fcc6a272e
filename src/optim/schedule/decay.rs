//! Decaying schedules: stepwise, exponential and polynomial.

use super::{Schedule, check_learning_rate, check_steps};
use crate::optim::option::setters;
use crate::panics::check_option;

/// Step decay: decays by a factor every `steps` steps, `lr γ^⌊t / steps⌋`. PyTorch's `StepLR`.
///
/// ```
/// use wengert::optim::schedule::StepDecay;
/// use wengert::prelude::*;
///
/// let schedule = StepDecay::new(0.1, 10).gamma(0.5);
/// assert_eq!((schedule.at(9), schedule.at(10), schedule.at(20)), (0.1, 0.05, 0.025));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct StepDecay {
    learning_rate: f64,
    steps: usize,
    gamma: f64,
}

setters!(StepDecay {
    /// Sets the factor γ; 0.1 by default.
    gamma: 0.0..;
});

impl StepDecay {
    /// Creates a schedule that decays by γ = 0.1 every `steps` steps.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[doc(alias = "StepLR")]
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        StepDecay { learning_rate: check_learning_rate(learning_rate), steps: check_steps(steps), gamma: 0.1 }
    }
}

impl Schedule for StepDecay {
    fn at(&self, step: usize) -> f64 {
        self.learning_rate * self.gamma.powf((step / self.steps) as f64)
    }
}

/// Multi-step decay: decays by a factor at given steps, `lr γ^n`, where n is the number of milestones ≤ t. PyTorch's
/// `MultiStepLR`.
///
/// ```
/// use wengert::optim::schedule::MultiStep;
/// use wengert::prelude::*;
///
/// let schedule = MultiStep::new(0.1, [30, 80]).gamma(0.5);
/// assert_eq!((schedule.at(29), schedule.at(30), schedule.at(80)), (0.1, 0.05, 0.025));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct MultiStep {
    learning_rate: f64,
    milestones: Vec<usize>,
    gamma: f64,
}

setters!(MultiStep {
    /// Sets the factor γ; 0.1 by default.
    gamma: 0.0..;
});

impl MultiStep {
    /// Creates a schedule that decays by γ = 0.1 at each milestone.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN.
    #[doc(alias = "MultiStepLR")]
    #[track_caller]
    pub fn new(learning_rate: f64, milestones: impl Into<Vec<usize>>) -> Self {
        MultiStep { learning_rate: check_learning_rate(learning_rate), milestones: milestones.into(), gamma: 0.1 }
    }
}

impl Schedule for MultiStep {
    fn at(&self, step: usize) -> f64 {
        let passed = self.milestones.iter().filter(|&&milestone| milestone <= step).count();
        self.learning_rate * self.gamma.powf(passed as f64)
    }
}

/// Exponential decay: decays by a factor every step, `lr γᵗ`. PyTorch's `ExponentialLR`.
///
/// ```
/// use wengert::optim::schedule::Exponential;
/// use wengert::prelude::*;
///
/// let schedule = Exponential::new(0.1, 0.5);
/// assert_eq!((schedule.at(0), schedule.at(1), schedule.at(3)), (0.1, 0.05, 0.0125));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Exponential {
    learning_rate: f64,
    gamma: f64,
}

impl Exponential {
    /// Creates a schedule that decays by the factor γ every step.
    ///
    /// # Panics
    /// If the learning rate or the factor is negative or NaN.
    #[doc(alias = "ExponentialLR")]
    #[track_caller]
    pub fn new(learning_rate: f64, gamma: f64) -> Self {
        let gamma = check_option("gamma", gamma, 0.0..);
        Exponential { learning_rate: check_learning_rate(learning_rate), gamma }
    }
}

impl Schedule for Exponential {
    fn at(&self, step: usize) -> f64 {
        self.learning_rate * self.gamma.powf(step as f64)
    }
}

/// Polynomial decay: decays to 0 as a power of the remaining steps, `lr (1 − t / steps)^power`, and stays there. PyTorch's
/// `PolynomialLR`.
///
/// The "poly" policy of Chen et al. 2017 (DeepLab) uses the power 0.9; the power 1 is linear decay.
///
/// ```
/// use wengert::optim::schedule::Polynomial;
/// use wengert::prelude::*;
///
/// let schedule = Polynomial::new(0.1, 40).power(2.0);
/// assert_eq!((schedule.at(0), schedule.at(20), schedule.at(50)), (0.1, 0.025, 0.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Polynomial {
    learning_rate: f64,
    steps: usize,
    power: f64,
}

setters!(Polynomial {
    /// Sets the power; 1 by default.
    power: 0.0..;
});

impl Polynomial {
    /// Creates a schedule that decays linearly to 0 over `steps` steps.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[doc(alias = "PolynomialLR")]
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        Polynomial { learning_rate: check_learning_rate(learning_rate), steps: check_steps(steps), power: 1.0 }
    }
}

impl Schedule for Polynomial {
    fn at(&self, step: usize) -> f64 {
        let left = self.steps.saturating_sub(step) as f64 / self.steps as f64;
        self.learning_rate * left.powf(self.power)
    }
}
