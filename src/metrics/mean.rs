//! A running mean.

use crate::panics;
use std::fmt::{self, Display, Formatter};

/// A running weighted mean, such as the loss over an epoch: `Σ w·x / Σ w`.
///
/// Both sums are compensated (Neumaier 1974), so the mean of millions of values is as accurate as that of ten. The mean
/// of no values is NaN. `{mean:.3}` prints three decimals.
///
/// ```
/// use wengert::metrics::Mean;
///
/// let mut loss = Mean::new();
/// loss.add_weighted(0.5, 128.0); // the mean loss of a batch, and its size
/// loss.add_weighted(0.1, 32.0);
/// assert_eq!(format!("{loss:.3}"), "0.420");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mean {
    sum: CompensatedSum,
    weight: CompensatedSum,
}

impl Mean {
    /// A mean of no values.
    #[doc(alias = "AverageMeter")]
    pub fn new() -> Self {
        Mean::default()
    }

    /// Adds a value with weight 1.
    pub fn add(&mut self, value: impl Into<f64>) {
        self.add_weighted(value, 1.0);
    }

    /// Adds a value with a weight. With weight 0 it is ignored, even if it is NaN.
    ///
    /// # Panics
    /// If the weight is negative, infinite or NaN.
    #[track_caller]
    pub fn add_weighted(&mut self, value: impl Into<f64>, weight: f64) {
        if !(0.0..f64::INFINITY).contains(&weight) {
            panics::option("Mean: weight", weight, "finite and at least 0");
        }
        if weight > 0.0 {
            self.sum.add(value.into() * weight);
            self.weight.add(weight);
        }
    }

    /// The mean; NaN if no value was added.
    pub fn value(&self) -> f64 {
        self.sum.value() / self.weight.value()
    }

    /// The state of the mean, for a checkpoint: the sums of values and weights, each with its rounding error.
    ///
    /// ```
    /// use wengert::metrics::Mean;
    ///
    /// let mut mean = Mean::new();
    /// mean.add(0.1);
    /// let mut same = Mean::from_state(mean.state());
    /// same.add(0.3);
    /// assert_eq!(same.value(), 0.2);
    /// ```
    pub fn state(&self) -> [f64; 4] {
        [self.sum.sum, self.sum.error, self.weight.sum, self.weight.error]
    }

    /// The mean with a [state](Mean::state).
    pub fn from_state([sum, sum_error, weight, weight_error]: [f64; 4]) -> Self {
        Mean {
            sum: CompensatedSum { sum, error: sum_error },
            weight: CompensatedSum { sum: weight, error: weight_error },
        }
    }

    /// The sum of the weights; the number of values if they were added without weights.
    pub fn weight(&self) -> f64 {
        self.weight.value()
    }
}

impl Display for Mean {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// A compensated sum: the rounded sum and its rounding error.
#[derive(Clone, Copy, Debug, Default)]
struct CompensatedSum {
    sum: f64,
    error: f64,
}

impl CompensatedSum {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        let (large, small) = if self.sum.abs() >= x.abs() { (self.sum, x) } else { (x, self.sum) };
        self.error += (large - sum) + small;
        self.sum = sum;
    }

    /// The error of an infinite sum is NaN and therefore ignored.
    fn value(&self) -> f64 {
        if self.sum.is_finite() { self.sum + self.error } else { self.sum }
    }
}
