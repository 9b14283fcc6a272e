//! The learning rate range test.

use crate::panics::check_option;
use std::ops::Bound;

/// Finds a learning rate in one short run with an exponentially increasing learning rate: the one at which the loss falls
/// fastest.
///
/// Step k of n uses the learning rate `low (high/low)^(k/(n − 1))`. The run ends when the loss diverges: when it is not
/// finite, or its mean over the last n/20 steps is four times the lowest such mean. The suggestion is the point of steepest
/// descent, along the logarithm of the learning rate, of the smoothed loss, its mean over the n/20 steps before and after.
/// The run ruins the weights, so use a clone of the model.
///
/// Smith 2017, "Cyclical learning rates for training neural networks"; the steepest slope and the stop at divergence follow
/// fast.ai.
///
/// ```
/// use wengert::optim::LearningRateFinder;
/// use wengert::prelude::*;
///
/// let mut model = Param::new([1.0, -2.0]);
/// let mut optimizer = Sgd::new(0.0);
/// let mut finder = LearningRateFinder::new(1e-5, 10.0, 100);
/// while let Some(learning_rate) = finder.learning_rate() {
///     optimizer.set_learning_rate(learning_rate);
///     let tape = Tape::new();
///     let loss = tape.param(&model).square().sum();
///     finder.record(loss.item());
///     optimizer.step(&mut model, &loss.backward());
/// }
/// let suggestion = finder.suggestion().expect("the loss fell");
/// assert!(0.01 < suggestion && suggestion < 0.5); // it diverges from 1 on
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LearningRateFinder {
    low: f64,
    high: f64,
    steps: usize,
    losses: Vec<f64>,
    lowest: f64,
    diverged: bool,
}

impl LearningRateFinder {
    /// Creates a run from the learning rate `low` to `high` in `steps` steps.
    ///
    /// # Panics
    /// If the learning rates are not positive, finite and in increasing order, or there are fewer than three steps.
    #[doc(alias = "lr_find")]
    #[track_caller]
    pub fn new(low: f64, high: f64, steps: usize) -> Self {
        check_option("low", low, (Bound::Excluded(0.0), Bound::Unbounded));
        check_option("high", high, (Bound::Excluded(low), Bound::Unbounded));
        check_option("steps", steps as f64, 3.0..);
        LearningRateFinder { low, high, steps, losses: Vec::new(), lowest: f64::INFINITY, diverged: false }
    }

    /// The learning rate of the next step; `None` when the run is over.
    pub fn learning_rate(&self) -> Option<f64> {
        let more = !self.diverged && self.losses.len() < self.steps;
        more.then(|| self.learning_rate_of(self.losses.len()))
    }

    /// Records the loss of a step, computed before the parameters are updated.
    pub fn record(&mut self, loss: impl Into<f64>) {
        let loss = loss.into();
        if !loss.is_finite() {
            self.diverged = true;
            return;
        }
        self.losses.push(loss);
        let last = self.losses.len().saturating_sub(self.width() + 1);
        let recent = mean(&self.losses[last..]);
        self.lowest = self.lowest.min(recent);
        // Four times the lowest loss if it is positive; the absolute value keeps the bound above a negative one.
        self.diverged |= recent > self.lowest + 3.0 * self.lowest.abs();
    }

    /// The learning rates so far with their smoothed losses, for a plot with a logarithmic axis.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let smoothed = |k: usize| {
            let width = self.width().min(k).min(self.losses.len() - 1 - k);
            mean(&self.losses[k - width..=k + width])
        };
        (0..self.losses.len()).map(|k| (self.learning_rate_of(k), smoothed(k))).collect()
    }

    /// The learning rate at which the smoothed loss falls most steeply; `None` if it does not fall.
    pub fn suggestion(&self) -> Option<f64> {
        let curve = self.curve();
        let slopes = curve.windows(3).map(|at| (at[1].0, at[2].1 - at[0].1)).filter(|&(_, slope)| slope < 0.0);
        slopes.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(learning_rate, _)| learning_rate)
    }

    fn learning_rate_of(&self, step: usize) -> f64 {
        self.low * (self.high / self.low).powf(step as f64 / (self.steps - 1) as f64)
    }

    /// The number of losses on each side in the smoothing window.
    fn width(&self) -> usize {
        self.steps / 20
    }
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}
