//! Errors of predicted numbers.

use crate::metrics::Mean;
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::fmt::{self, Display, Formatter};

/// Errors of predictions y of targets t, accumulated over batches. All scores are NaN if there are no values.
///
/// ```
/// use wengert::metrics::Regression;
/// use wengert::prelude::*;
///
/// let mut errors = Regression::new();
/// errors.add(&tensor![2.5, 0.0], &tensor![3.0, -0.5]);
/// errors.add(&tensor![2.0, 8.0], &tensor![2.0, 7.0]);
/// assert_eq!(errors.mean_absolute_error(), 0.5);
/// assert_eq!(format!("{errors:.3}"), "MAE 0.500  RMSE 0.612  R² 0.949");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Regression {
    absolute: Mean,
    squared: Mean,
    /// The mean of the targets, and the sum of the squares of their distances from it (Welford 1962).
    center: f64,
    spread: f64,
}

impl Regression {
    /// Errors of no values.
    #[doc(alias("mean_absolute_error", "mean_squared_error", "r2_score", "R2Score"))]
    pub fn new() -> Self {
        Regression::default()
    }

    /// Adds predictions, and their targets, of the same shape.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn add<T: Float>(&mut self, predictions: &Tensor<T>, targets: &Tensor<T>) {
        if predictions.shape() != targets.shape() {
            panics::wrong_shapes("Regression::add", &panics::target_shape(predictions.shape(), targets.shape()), "");
        }
        for (y, t) in predictions.iter().zip(targets.iter()).map(|(y, t)| (y.to_f64(), t.to_f64())) {
            self.absolute.add((y - t).abs());
            self.squared.add((y - t).powi(2));
            let distance = t - self.center;
            self.center += distance / self.absolute.weight();
            self.spread += distance * (t - self.center);
        }
    }

    /// The mean absolute error, `Σ |y − t| / n`.
    #[doc(alias = "MAE")]
    pub fn mean_absolute_error(&self) -> f64 {
        self.absolute.value()
    }

    /// The mean squared error, `Σ (y − t)² / n`.
    #[doc(alias = "MSE")]
    pub fn mean_squared_error(&self) -> f64 {
        self.squared.value()
    }

    /// The root of the mean squared error, in the units of the targets.
    #[doc(alias = "RMSE")]
    pub fn root_mean_squared_error(&self) -> f64 {
        self.mean_squared_error().sqrt()
    }

    /// The coefficient of determination R², `1 − Σ (y − t)² / Σ (t − t̄)²`: 1 for exact predictions, 0 for a constant t̄, negative for
    /// worse ones. If all targets are equal, it is 1 for exact predictions and 0 otherwise, as in scikit-learn.
    #[doc(alias = "coefficient of determination")]
    pub fn r_squared(&self) -> f64 {
        let residual = self.squared.value() * self.squared.weight();
        match (residual, self.spread) {
            (residual, 0.0) if residual > 0.0 => 0.0,
            (0.0, _) => 1.0,
            (residual, spread) => 1.0 - residual / spread,
        }
    }
}

impl Display for Regression {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str("MAE ")?;
        self.mean_absolute_error().fmt(f)?;
        f.write_str("  RMSE ")?;
        self.root_mean_squared_error().fmt(f)?;
        f.write_str("  R² ")?;
        self.r_squared().fmt(f)
    }
}
