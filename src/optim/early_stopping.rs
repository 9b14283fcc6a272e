//! Stopping when validation no longer gets better.

use crate::panics;

/// Says when to stop training: when a metric has not become better for some epochs in a row (Prechelt 1998, "Early stopping — but
/// when?").
///
/// What is better is smaller, as for a loss, unless [`maximize`](EarlyStopping::maximize) says otherwise. A NaN is never better, so
/// a model that diverged is not kept, and stops when patience ends.
///
/// ```
/// use wengert::optim::{EarlyStopping, Status};
/// use wengert::prelude::*;
///
/// // Fits y = 2x; the losses of validation are made up.
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

/// What an [`EarlyStopping`] remembers: given it and the same options a run goes on as if it had not stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoppingState {
    /// The best metric so far; infinitely bad at first.
    pub best: f64,
    /// The epoch that it is of, counted from 0.
    pub best_epoch: usize,
    /// How many metrics have come.
    pub epochs: usize,
    /// How many of them since the best.
    pub bad_epochs: usize,
}

/// What a metric means for training: see [`EarlyStopping::update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Status {
    /// The best so far: the model is worth keeping.
    Improved,
    /// No better, but there is patience left.
    Continue,
    /// Patience has ended.
    Stop,
}

impl EarlyStopping {
    /// Stops at the `patience`-th epoch in a row that is no better than the best; 0 is as 1.
    pub fn new(patience: usize) -> Self {
        let state = StoppingState { best: f64::INFINITY, best_epoch: 0, epochs: 0, bad_epochs: 0 };
        EarlyStopping { patience, min_delta: 0.0, maximize: false, state }
    }

    /// How much better a metric must be than the best to count as better; 0 unless given: anything better counts.
    ///
    /// # Panics
    /// If it is negative or NaN.
    #[track_caller]
    pub fn min_delta(self, min_delta: f64) -> Self {
        if min_delta.is_nan() || min_delta < 0.0 {
            panics::option("min_delta", min_delta, "at least 0");
        }
        EarlyStopping { min_delta, ..self }
    }

    /// Smaller is better, as for a loss. This is the default.
    pub fn minimize(mut self) -> Self {
        (self.maximize, self.state.best) = (false, f64::INFINITY);
        self
    }

    /// Larger is better, as for an accuracy.
    pub fn maximize(mut self) -> Self {
        (self.maximize, self.state.best) = (true, f64::NEG_INFINITY);
        self
    }

    /// Takes the metric of the epoch that has ended.
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
        if state.bad_epochs < self.patience { Status::Continue } else { Status::Stop }
    }

    /// The best metric; none if all were NaN or infinitely bad.
    pub fn best(&self) -> Option<f64> {
        let worst = if self.maximize { f64::NEG_INFINITY } else { f64::INFINITY };
        (self.state.best != worst).then_some(self.state.best)
    }

    /// The epoch of the best metric, counted from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best().map(|_| self.state.best_epoch)
    }

    /// What is remembered, for a checkpoint.
    pub fn state(&self) -> &StoppingState {
        &self.state
    }

    /// The same for changing it, as when a run is resumed.
    pub fn state_mut(&mut self) -> &mut StoppingState {
        &mut self.state
    }

    /// Whether a metric is better than the best by more than `min_delta`; the first must only be better than infinitely bad.
    fn is_better(&self, metric: f64) -> bool {
        let (best, delta) = (self.state.best, self.min_delta);
        if self.maximize { metric > best + delta } else { metric < best - delta }
    }
}
