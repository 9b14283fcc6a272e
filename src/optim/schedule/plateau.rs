//! A schedule that depends on a metric.

use super::check_learning_rate;
use crate::optim::option::setters;

/// Reduces the learning rate, `lr ← max(factor lr, minimum)`, when a metric such as the validation loss has not improved for
/// more than `patience` observations. PyTorch's `ReduceLROnPlateau`.
///
/// A metric improves if it is below `best − threshold |best|`, or below `best − threshold` if
/// [absolute](ReduceOnPlateau::absolute); when [maximizing](ReduceOnPlateau::maximize), if it is above
/// `best + threshold |best|` or `best + threshold`. A NaN is never an improvement. For negative metrics, PyTorch's relative
/// bound, `best (1 − threshold)`, is on the wrong side of the best.
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

/// The state of a [`ReduceOnPlateau`]; restored together with the same options, it resumes a run as if uninterrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlateauState {
    /// The current learning rate.
    pub learning_rate: f64,
    /// The best metric so far; initially infinite.
    pub best: f64,
    /// The number of observations since the last improvement.
    pub bad_epochs: usize,
    /// The number of cooldown observations left, which do not count against the patience.
    pub resting: usize,
}

setters!(ReduceOnPlateau {
    /// Sets the factor of a reduction; 0.1 by default.
    factor: 0.0..1.0;
    /// Sets the minimum improvement; 1e-4 by default, relative unless [absolute](ReduceOnPlateau::absolute).
    threshold: 0.0..;
    /// Sets the minimum learning rate; 0 by default.
    minimum: 0.0..;
    /// Sets the smallest reduction: changes of the learning rate that are not larger are skipped; 1e-8 by default.
    epsilon: 0.0..;
});

impl ReduceOnPlateau {
    /// Creates a schedule that divides the learning rate by ten after more than ten observations without improvement.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN. The setters check their ranges in the same way.
    #[doc(alias = "ReduceLROnPlateau")]
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

    /// Treats larger metrics as better, as for an accuracy.
    pub fn maximize(mut self) -> Self {
        self.maximize = true;
        self.state.best = f64::NEG_INFINITY;
        self
    }

    /// Sets the number of observations without improvement that are tolerated; 10 by default.
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// Makes the threshold absolute instead of relative.
    pub fn absolute(mut self) -> Self {
        self.absolute = true;
        self
    }

    /// Sets the number of observations after a reduction that do not count against the patience; 0 by default.
    pub fn cooldown(mut self, cooldown: usize) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// Records a metric and returns the resulting learning rate.
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

    /// The current learning rate.
    pub fn learning_rate(&self) -> f64 {
        self.state.learning_rate
    }

    /// The state, for a checkpoint.
    pub fn state(&self) -> &PlateauState {
        &self.state
    }

    /// The mutable state, for resuming a run.
    pub fn state_mut(&mut self) -> &mut PlateauState {
        &mut self.state
    }

    fn is_better(&self, metric: f64) -> bool {
        let best = self.state.best;
        let margin = match self.absolute {
            true => self.threshold,
            false if best.is_finite() => self.threshold * best.abs(),
            false => 0.0,
        };
        if self.maximize { metric > best + margin } else { metric < best - margin }
    }

    fn reduce(&mut self) {
        let reduced = (self.factor * self.state.learning_rate).max(self.minimum);
        if self.state.learning_rate - reduced > self.epsilon {
            self.state.learning_rate = reduced;
        }
    }
}
