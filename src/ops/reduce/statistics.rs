//! Mean, variance and standard deviation.

use crate::autograd::Var;
use crate::tensor::{Axes, Float, Tensor, keepdim, reduction_of};

impl<T: Float> Var<T> {
    /// The mean of all elements; NaN for an empty input.
    #[track_caller]
    pub fn mean(&self) -> Var<T> {
        self.mean_over(..)
    }

    /// The mean over [`Axes`].
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[doc(alias("average", "reduce_mean"))]
    #[track_caller]
    pub fn mean_over(&self, axes: impl Axes) -> Var<T> {
        let reduction = reduction_of("mean", self.shape(), &axes);
        self.sum_reduction(&reduction) / reduction.count as f64
    }
}

functions! {
    /// The unbiased variance of all elements, `Σ(x − mean)²/(n − 1)`.
    fn var(x) = x.var_over(.., 1.0);

    /// The variance over [`Axes`], `Σ(x − mean)²/(n − correction)`: a correction of 1 gives the unbiased estimate, 0 the mean
    /// squared deviation used by normalization layers. NaN if n ≤ correction.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[doc(alias("ddof", "unbiased"))]
    fn var_over(x, axes: impl Axes, correction: f64) = {
        let freedom = degrees_of_freedom("var", x.shape(), &axes, correction);
        (x - x.mean_over(keepdim(&axes))).square().sum_over(axes) / freedom
    };

    /// The unbiased standard deviation of all elements.
    fn std(x) = x.std_over(.., 1.0);

    /// The standard deviation over [`Axes`], `√var`; the gradient is 0 if all values are equal. See [`var_over`](Var::var_over).
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    fn std_over(x, axes: impl Axes, correction: f64) = {
        let freedom = degrees_of_freedom("std", x.shape(), &axes, correction);
        (x - x.mean_over(keepdim(&axes))).norm_over(2.0, axes) / freedom.sqrt()
    };
}

#[track_caller]
fn degrees_of_freedom(op: &str, shape: &[usize], axes: &impl Axes, correction: f64) -> f64 {
    (reduction_of(op, shape, axes).count as f64 - correction).max(0.0)
}
