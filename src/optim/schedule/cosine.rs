//! Cosine schedules.

use super::{Schedule, check_learning_rate, check_steps};
use crate::optim::option::setters;
use crate::panics::check_option;
use std::f64::consts::PI;

/// Half a cosine wave between the values at `progress` = 0 and 1, continued periodically.
fn half_wave(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * progress).cos()) / 2.0
}

/// Half a cosine wave from the learning rate to a minimum: `min + (lr − min) (1 + cos(π t / steps)) / 2`.
/// PyTorch's `CosineAnnealingLR`.
///
/// After the last step the wave continues, and the learning rate rises again. Loshchilov and Hutter 2017, "SGDR: stochastic
/// gradient descent with warm restarts".
///
/// ```
/// use wengert::optim::schedule::Cosine;
/// use wengert::prelude::*;
///
/// let schedule = Cosine::new(0.1, 100).minimum(0.02);
/// assert_eq!((schedule.at(0), schedule.at(100)), (0.1, 0.02));
/// assert!((schedule.at(50) - 0.06).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Cosine {
    learning_rate: f64,
    steps: usize,
    minimum: f64,
}

setters!(Cosine {
    /// Sets the minimum, the learning rate at the end; 0 by default.
    minimum: 0.0..;
});

impl Cosine {
    /// Creates a schedule that decays to 0 over `steps` steps.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[doc(alias("CosineAnnealingLR", "CosineDecay"))]
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        Cosine { learning_rate: check_learning_rate(learning_rate), steps: check_steps(steps), minimum: 0.0 }
    }
}

impl Schedule for Cosine {
    fn at(&self, step: usize) -> f64 {
        half_wave(self.learning_rate, self.minimum, step as f64 / self.steps as f64)
    }
}

/// [`Cosine`] with warm restarts, in cycles of constant or increasing length: `min + (lr − min) (1 + cos(π s / n)) / 2`,
/// where s is the number of steps since the last restart and n = `steps`, `steps growth`, `steps growth²` … the length of the
/// cycle. PyTorch's `CosineAnnealingWarmRestarts`; Loshchilov and Hutter 2017.
///
/// ```
/// use wengert::optim::schedule::CosineWarmRestarts;
/// use wengert::prelude::*;
///
/// let schedule = CosineWarmRestarts::new(0.1, 10).growth(2);
/// assert_eq!((schedule.at(0), schedule.at(10), schedule.at(30)), (0.1, 0.1, 0.1));
/// assert!((schedule.at(20) - 0.05).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CosineWarmRestarts {
    learning_rate: f64,
    steps: usize,
    growth: usize,
    minimum: f64,
}

setters!(CosineWarmRestarts {
    /// Sets the minimum, the learning rate at the end of each cycle; 0 by default.
    minimum: 0.0..;
});

impl CosineWarmRestarts {
    /// Creates a schedule of cycles of `steps` steps that decay to 0.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[doc(alias = "CosineAnnealingWarmRestarts")]
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        let learning_rate = check_learning_rate(learning_rate);
        CosineWarmRestarts { learning_rate, steps: check_steps(steps), growth: 1, minimum: 0.0 }
    }

    /// Sets the ratio of the lengths of consecutive cycles; 1 by default.
    #[track_caller]
    pub fn growth(mut self, growth: usize) -> Self {
        check_option("growth", growth as f64, 1.0..);
        self.growth = growth;
        self
    }
}

impl Schedule for CosineWarmRestarts {
    fn at(&self, step: usize) -> f64 {
        let (mut since, mut length) = (step, self.steps);
        if self.growth == 1 {
            since %= length;
        }
        while since >= length {
            since -= length;
            length = length.saturating_mul(self.growth);
        }
        half_wave(self.learning_rate, self.minimum, since as f64 / length as f64)
    }
}

/// The one-cycle policy: rises to a large learning rate, then falls to a very small one at the last step, each along half a
/// cosine wave or a straight line. PyTorch's `OneCycleLR` with two phases.
///
/// It starts at `lr start_factor`, peaks at `lr` in step `rise · steps − 1`, and ends at `lr end_factor`, where it stays.
/// Smith and Topin 2018, "Super-convergence: very fast training of neural networks using large learning rates"; the form is
/// that of fast.ai.
///
/// ```
/// use wengert::optim::schedule::OneCycle;
/// use wengert::prelude::*;
///
/// let schedule = OneCycle::new(0.5, 50);
/// assert!((schedule.at(0) - 0.5 / 25.0).abs() < 1e-12);
/// assert_eq!(schedule.at(14), 0.5);
/// assert!((schedule.at(49) - 0.5 / 25.0 / 1e4).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct OneCycle {
    learning_rate: f64,
    steps: usize,
    rise: f64,
    start_factor: f64,
    end_factor: f64,
    linear: bool,
}

setters!(OneCycle {
    /// Sets the fraction of the steps in which the learning rate rises; 0.3 by default.
    rise: 0.0..1.0;
    /// Sets the initial learning rate as a fraction of the peak; 1/25 by default.
    start_factor: 0.0..;
    /// Sets the final learning rate as a fraction of the peak; 1e-4 / 25 by default.
    end_factor: 0.0..;
});

impl OneCycle {
    /// Creates a cycle of `steps` steps in total with the given peak learning rate.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[doc(alias = "OneCycleLR")]
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        OneCycle {
            learning_rate: check_learning_rate(learning_rate),
            steps: check_steps(steps),
            rise: 0.3,
            start_factor: 1.0 / 25.0,
            end_factor: 1.0 / 25.0 / 1e4,
            linear: false,
        }
    }

    /// Uses straight lines instead of cosine waves.
    pub fn linear(mut self) -> Self {
        self.linear = true;
        self
    }
}

impl Schedule for OneCycle {
    fn at(&self, step: usize) -> f64 {
        let (step, last) = (step.min(self.steps - 1) as f64, (self.steps - 1) as f64);
        let peak = self.rise * self.steps as f64 - 1.0;
        let (from, to, progress) = match step < peak {
            true => (self.start_factor, 1.0, step / peak),
            false => (1.0, self.end_factor, (step - peak) / (last - peak)),
        };
        self.learning_rate * if self.linear { from + (to - from) * progress } else { half_wave(from, to, progress) }
    }
}
