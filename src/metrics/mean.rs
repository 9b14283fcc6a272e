//! A mean that grows with a training loop.

use crate::panics;
use std::fmt::{self, Display, Formatter};

/// The mean of values that come one after the other, such as the loss of an epoch: `Σ w·x / Σ w`.
///
/// Both sums carry their rounding errors along (Neumaier 1974), so that the mean of millions of values is as good as that of ten.
/// The mean of nothing is NaN. `{mean:.3}` prints it with three digits after the point.
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
    sum: Sum,
    weight: Sum,
}

impl Mean {
    /// The mean of nothing yet.
    pub fn new() -> Self {
        Mean::default()
    }

    /// Adds a value of weight 1.
    pub fn add(&mut self, value: impl Into<f64>) {
        self.add_weighted(value, 1.0);
    }

    /// Adds a value that counts as much as its weight says. At weight 0 it does not count, even if it is NaN.
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

    /// The mean; NaN if nothing was added.
    pub fn value(&self) -> f64 {
        self.sum.value() / self.weight.value()
    }

    /// The sum of the weights: the number of values where none was given.
    pub fn weight(&self) -> f64 {
        self.weight.value()
    }
}

impl Display for Mean {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// A sum, and what rounding took from it.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        let (large, small) = if self.sum.abs() >= x.abs() { (self.sum, x) } else { (x, self.sum) };
        self.lost += (large - sum) + small;
        self.sum = sum;
    }

    /// Of infinite terms nothing is lost, though the difference of two is NaN.
    fn value(&self) -> f64 {
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}
