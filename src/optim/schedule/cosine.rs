//! Schedules made of half cosine waves.

use super::{Schedule, check_learning_rate, check_steps};
use crate::optim::option::{check_option, setters};
use std::f64::consts::PI;

/// Half a cosine wave from one value, at `way` = 0, to another, at 1; beyond it the wave goes on.
fn half_wave(from: f64, to: f64, way: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * way).cos()) / 2.0
}

/// Half a cosine wave from the learning rate to a minimum: `min + (lr − min) (1 + cos(π t / steps)) / 2`.
/// PyTorch's `CosineAnnealingLR`.
///
/// Beyond the last step the wave goes on, up again. Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
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
    /// The learning rate at the end; 0 by default.
    minimum: 0.0, f64::INFINITY;
});

impl Cosine {
    /// Half a wave down to 0 in so many steps.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
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

/// [`Cosine`] that begins anew at its end, each time for as long as before or longer:
/// `min + (lr − min) (1 + cos(π s / n)) / 2`, s being the steps since the last start and n = `steps`, `steps growth`,
/// `steps growth²` … the length of the wave. PyTorch's `CosineAnnealingWarmRestarts`; Loshchilov and Hutter 2017.
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
    /// What the learning rate falls to; 0 by default.
    minimum: 0.0, f64::INFINITY;
});

impl CosineWarmRestarts {
    /// Waves of so many steps each, down to 0.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
    #[track_caller]
    pub fn new(learning_rate: f64, steps: usize) -> Self {
        let learning_rate = check_learning_rate(learning_rate);
        CosineWarmRestarts { learning_rate, steps: check_steps(steps), growth: 1, minimum: 0.0 }
    }

    /// How many times as long as the one before a wave is; 1 by default.
    #[track_caller]
    pub fn growth(mut self, growth: usize) -> Self {
        check_option("growth", growth as f64, 1.0, f64::INFINITY);
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

/// One rise to a large learning rate and one fall to a very small one, each half a cosine wave or a straight line; the last step has
/// the smallest. PyTorch's `OneCycleLR` in two phases.
///
/// The top, `lr`, is at step `rise · steps − 1`, the beginning is `lr start_factor`, and the end `lr end_factor`, which stays. Smith and
/// Topin 2018, "Super-convergence: very fast training of neural networks using large learning rates"; the form is that of fast.ai.
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
    /// The share of the steps in which the learning rate rises; 0.3 by default.
    rise: 0.0, 1.0;
    /// The share of the top at the beginning; 1/25 by default.
    start_factor: 0.0, f64::INFINITY;
    /// The share of the top at the end; 1/25 of 1e-4 by default.
    end_factor: 0.0, f64::INFINITY;
});

impl OneCycle {
    /// A cycle of so many steps in all, with the given learning rate at the top.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN, or there are no steps.
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

    /// Straight lines instead of cosine waves.
    pub fn linear(mut self) -> Self {
        self.linear = true;
        self
    }
}

impl Schedule for OneCycle {
    fn at(&self, step: usize) -> f64 {
        let (step, last) = (step.min(self.steps - 1) as f64, (self.steps - 1) as f64);
        let top = self.rise * self.steps as f64 - 1.0;
        let (from, to, way) = match step < top {
            true => (self.start_factor, 1.0, step / top),
            false => (1.0, self.end_factor, (step - top) / (last - top)),
        };
        self.learning_rate * if self.linear { from + (to - from) * way } else { half_wave(from, to, way) }
    }
}
