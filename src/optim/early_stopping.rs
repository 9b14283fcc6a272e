//! Early stopping.

use crate::panics::check_option;

/// Stops training when a metric has not improved for a number of consecutive epochs (Prechelt 1998, "Early stopping — but
/// when?").
///
/// Smaller values are better, as for a loss, unless [`maximize`](EarlyStopping::maximize) is set. A NaN is never an
/// improvement, so a diverged model is not kept, and training stops when the patience runs out.
///
/// ```
/// use wengert::optim::{EarlyStopping, Status};
/// use wengert::prelude::*;
///
/// // Fits y = 2x; the validation losses are made up.
/// let mut model = Param::new(0.0);
/// let mut best = model.clone();
/// let mut optimizer = Sgd::new(0.1);
/// let mut stopping = EarlyStopping::new(2).min_delta(0.01);
/// for validation_loss in [0.9, 0.5, 0.495, 0.6, 0.4] {
///     let tape = Tape::training(&mut wengert::rng(0));
///     let loss = (tape.constant([1.0, 2.0]) * &model).mse_loss(tensor![2.0, 4.0], Reduction::Mean);
///     optimizer.step(&mut model, &loss.backward());
///     match stopping.update(validation_loss) {
///         Status::Improved => best = model.clone(),
///         Status::Continue => {}
///         Status::Stop => break,
///     }
/// }
/// assert_eq!((stopping.best(), stopping.best_epoch()), (Some(0.5), Some(1)));
/// assert_eq!(best.value().item(), 1.5); // the model of that epoch, not the last one
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
    maximize: bool,
    state: StoppingState,
}

/// The state of an [`EarlyStopping`]; restored together with the same options, it resumes a run as if uninterrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StoppingState {
    /// The best metric so far; initially infinite, with the sign of the worst value.
    pub best: f64,
    /// The epoch of that metric, counted from 0.
    pub best_epoch: usize,
    /// The number of epochs so far.
    pub epochs: usize,
    /// The number of epochs since the best one.
    pub bad_epochs: usize,
}

/// The effect of a metric on training, returned by [`EarlyStopping::update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Status {
    /// The best metric so far: the model should be saved.
    Improved,
    /// No improvement, but patience is left.
    Continue,
    /// The patience has run out.
    Stop,
}

impl EarlyStopping {
    /// Creates a criterion that stops after `patience` consecutive epochs without improvement; 0 is treated as 1.
    pub fn new(patience: usize) -> Self {
        let state = StoppingState { best: f64::INFINITY, best_epoch: 0, epochs: 0, bad_epochs: 0 };
        EarlyStopping { patience, min_delta: 0.0, maximize: false, state }
    }

    /// Sets the minimum change that counts as an improvement; 0 by default, so that any improvement counts.
    ///
    /// # Panics
    /// If the minimum change is negative or not finite.
    #[track_caller]
    pub fn min_delta(self, min_delta: f64) -> Self {
        EarlyStopping { min_delta: check_option("min_delta", min_delta, 0.0..), ..self }
    }

    /// Treats smaller metrics as better, as for a loss. This is the default.
    pub fn minimize(mut self) -> Self {
        (self.maximize, self.state.best) = (false, f64::INFINITY);
        self
    }

    /// Treats larger metrics as better, as for an accuracy.
    pub fn maximize(mut self) -> Self {
        (self.maximize, self.state.best) = (true, f64::NEG_INFINITY);
        self
    }

    /// Records the metric of the epoch that has ended.
    pub fn update(&mut self, metric: impl Into<f64>) -> Status {
        let metric = metric.into();
        let improved = self.is_better(metric);
        let state = &mut self.state;
        let epoch = state.epochs;
        state.epochs += 1;
        if improved {
            (state.best, state.best_epoch, state.bad_epochs) = (metric, epoch, 0);
            return Status::Improved;
        }
        state.bad_epochs += 1;
        if self.is_over() { Status::Stop } else { Status::Continue }
    }

    /// Whether the patience has run out.
    pub(crate) fn is_over(&self) -> bool {
        self.state.bad_epochs >= self.patience.max(1)
    }

    /// The best metric; `None` if all were NaN or the worst infinite value.
    pub fn best(&self) -> Option<f64> {
        let worst = if self.maximize { f64::NEG_INFINITY } else { f64::INFINITY };
        (self.state.best != worst).then_some(self.state.best)
    }

    /// The epoch of the best metric, counted from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best().map(|_| self.state.best_epoch)
    }

    /// The state, for a checkpoint.
    pub fn state(&self) -> &StoppingState {
        &self.state
    }

    /// The mutable state, for resuming a run.
    pub fn state_mut(&mut self) -> &mut StoppingState {
        &mut self.state
    }

    /// Whether a metric is better than the best by more than `min_delta`; the first one only has to beat an infinite value.
    fn is_better(&self, metric: f64) -> bool {
        let (best, delta) = (self.state.best, self.min_delta);
        if self.maximize { metric > best + delta } else { metric < best - delta }
    }
}
