//! The schedule that listens.

use super::check_learning_rate;
use crate::optim::option::setters;

/// Reduces the learning rate, `lr ← max(factor lr, minimum)`, when a metric such as the validation loss has not become better
/// for more than `patience` observations. PyTorch's `ReduceLROnPlateau`.
///
/// Better is below `best (1 − threshold)`, or `best − threshold` if [absolute](ReduceOnPlateau::absolute); when
/// [maximizing](ReduceOnPlateau::maximize) above `best (1 + threshold)` or `best + threshold`. A NaN is never better.
///
/// ```
/// use wengert::optim::schedule::ReduceOnPlateau;
/// use wengert::prelude::*;
///
/// let mut optimizer: Sgd = Sgd::new(0.1);
/// let mut plateau = ReduceOnPlateau::new(0.1).factor(0.5).patience(2);
/// for validation_loss in [1.0, 0.8, 0.8, 0.9, 0.8] {
///     optimizer.set_learning_rate(plateau.observe(validation_loss));
/// }
/// assert_eq!(optimizer.learning_rate(), 0.05);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ReduceOnPlateau {
    maximize: bool,
    factor: f64,
    patience: usize,
    threshold: f64,
    absolute: bool,
    cooldown: usize,
    minimum: f64,
    epsilon: f64,
    state: PlateauState,
}

/// What a [`ReduceOnPlateau`] remembers: given it and the same options a run goes on as if it had not stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlateauState {
    /// The learning rate now.
    pub learning_rate: f64,
    /// The best metric so far; infinite at first.
    pub best: f64,
    /// Observations since the last that was better.
    pub bad_epochs: usize,
    /// Observations left in which nothing is counted.
    pub resting: usize,
}

setters!(ReduceOnPlateau {
    /// What the learning rate is multiplied by; 0.1 by default.
    factor: 0.0, 1.0;
    /// How much better a metric must be; 1e-4 by default, relative unless it is [absolute](ReduceOnPlateau::absolute).
    threshold: 0.0, f64::INFINITY;
    /// The smallest learning rate; 0 by default.
    minimum: 0.0, f64::INFINITY;
    /// A reduction that is not larger than this is not made; 1e-8 by default.
    epsilon: 0.0, f64::INFINITY;
});

impl ReduceOnPlateau {
    /// A tenth of the learning rate after more than ten observations without a smaller metric.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN; the setters likewise check their ranges.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let learning_rate = check_learning_rate(learning_rate);
        ReduceOnPlateau {
            maximize: false,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            absolute: false,
            cooldown: 0,
            minimum: 0.0,
            epsilon: 1e-8,
            state: PlateauState { learning_rate, best: f64::INFINITY, bad_epochs: 0, resting: 0 },
        }
    }

    /// A larger metric is better, such as an accuracy.
    pub fn maximize(mut self) -> Self {
        self.maximize = true;
        self.state.best = f64::NEG_INFINITY;
        self
    }

    /// How many observations that are not better are borne; 10 by default.
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// The threshold is a difference, not a share.
    pub fn absolute(mut self) -> Self {
        self.absolute = true;
        self
    }

    /// For how many observations after a reduction nothing is counted; 0 by default.
    pub fn cooldown(mut self, cooldown: usize) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// The learning rate after this metric.
    pub fn observe(&mut self, metric: f64) -> f64 {
        if self.is_better(metric) {
            self.state.best = metric;
            self.state.bad_epochs = 0;
        } else {
            self.state.bad_epochs += 1;
        }
        if self.state.resting > 0 {
            self.state.resting -= 1;
            self.state.bad_epochs = 0;
        }
        if self.state.bad_epochs > self.patience {
            self.reduce();
            self.state.resting = self.cooldown;
            self.state.bad_epochs = 0;
        }
        self.state.learning_rate
    }

    /// The learning rate now.
    pub fn learning_rate(&self) -> f64 {
        self.state.learning_rate
    }

    /// What is remembered, for a checkpoint.
    pub fn state(&self) -> &PlateauState {
        &self.state
    }

    /// The same for changing it, as when a run is resumed.
    pub fn state_mut(&mut self) -> &mut PlateauState {
        &mut self.state
    }

    fn is_better(&self, metric: f64) -> bool {
        let (best, sign) = (self.state.best, if self.maximize { 1.0 } else { -1.0 });
        let bound = match self.absolute {
            true => best + sign * self.threshold,
            false => best * (1.0 + sign * self.threshold),
        };
        if self.maximize { metric > bound } else { metric < bound }
    }

    fn reduce(&mut self) {
        let reduced = (self.factor * self.state.learning_rate).max(self.minimum);
        if self.state.learning_rate - reduced > self.epsilon {
            self.state.learning_rate = reduced;
        }
    }
}
