//! Mean, variance and standard deviation.

use crate::autograd::Var;
use crate::tensor::{Axes, Float, Reduction, reduction_of};

impl<T: Float> Var<T> {
    /// The mean of all elements; NaN if there are none.
    #[track_caller]
    pub fn mean(&self) -> Var<T> {
        self.mean_over(..)
    }

    /// The mean over [`Axes`].
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn mean_over(&self, axes: impl Axes) -> Var<T> {
        let reduction = reduction_of("mean", self.shape(), &axes);
        self.sum_reduction(&reduction) / reduction.count as f64
    }

    /// The unbiased variance of all elements, `Σ(x − mean)²/(n − 1)`.
    #[track_caller]
    pub fn var(&self) -> Var<T> {
        self.var_over(.., 1.0)
    }

    /// The variance over [`Axes`], `Σ(x − mean)²/(n − correction)`: 1 makes it unbiased, 0 is the mean square deviation,
    /// as normalisation layers use it. NaN if n ≤ correction.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn var_over(&self, axes: impl Axes, correction: f64) -> Var<T> {
        let reduction = reduction_of("var", self.shape(), &axes);
        self.centred(&reduction).square().sum_reduction(&reduction) / degrees_of_freedom(&reduction, correction)
    }

    /// The unbiased standard deviation of all elements.
    #[track_caller]
    pub fn std(&self) -> Var<T> {
        self.std_over(.., 1.0)
    }

    /// The standard deviation over [`Axes`], `√var`; the gradient of equal values is 0. See [`var_over`](Var::var_over).
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn std_over(&self, axes: impl Axes, correction: f64) -> Var<T> {
        let reduction = reduction_of("std", self.shape(), &axes);
        let scale = degrees_of_freedom(&reduction, correction).sqrt();
        self.centred(&reduction).norm_over(2.0, axes) / scale
    }

    #[track_caller]
    fn centred(&self, reduction: &Reduction) -> Var<T> {
        let mean = self.sum_reduction(reduction).with_shape(reduction.kept.clone()) / reduction.count as f64;
        self - mean
    }
}

fn degrees_of_freedom(reduction: &Reduction, correction: f64) -> f64 {
    (reduction.count as f64 - correction).max(0.0)
}
