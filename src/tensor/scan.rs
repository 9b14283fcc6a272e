//! Cumulative sums and products.

use super::{AxisIndex, Float, Tensor, resolve_axis};
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::reduce::scan;
use std::ops::Range;

impl<T: Float> Tensor<T> {
    /// The cumulative sum along an axis, `yₖ = x₀ + … + xₖ`, accumulated in double precision.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].cumsum(0), tensor![1.0, 3.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: impl AxisIndex) -> Self {
        let axis = scan_axis("cumsum", self.shape(), axis.index());
        self.running_sum(axis, false)
    }

    /// The cumulative product along an axis, `yₖ = x₀ ⋯ xₖ`.
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn cumprod(&self, axis: impl AxisIndex) -> Self {
        self.running_product(scan_axis("cumprod", self.shape(), axis.index()))
    }

    #[inline(never)]
    fn running_product(&self, axis: usize) -> Self {
        self.accumulated(axis, false, 1.0, |product, x| product * x)
    }

    /// The cumulative sum along an axis, from its end if `reverse`.
    #[inline(never)]
    pub(crate) fn running_sum(&self, axis: usize, reverse: bool) -> Self {
        self.accumulated(axis, reverse, 0.0, |sum, x| sum + x)
    }

    fn accumulated(&self, axis: usize, reverse: bool, start: f64, f: impl Fn(f64, f64) -> f64 + Copy + Sync) -> Self {
        self.scan(axis, |part, n, inner, y| {
            let x = &self.as_slice()[part];
            with_scratch(inner, |totals| scan::accumulate(x, n, reverse, start, f, totals, y));
        })
    }

    /// The cumulative logsumexp along an axis.
    #[inline(never)]
    pub(crate) fn running_logsumexp(&self, axis: usize) -> Self {
        self.scan(axis, |part, n, inner, y| {
            let x = &self.as_slice()[part];
            with_scratch(inner, |largest| {
                with_scratch(inner, |sums| scan::logcumsumexp(x, n, inner, largest, sums, y))
            });
        })
    }

    /// `yₖ = aₖ₋₁ yₖ₋₁ + bₖ` along an axis, or in reverse `yₖ = aₖ yₖ₊₁ + bₖ`, where b is `self` and a is shorter by one.
    #[inline(never)]
    pub(crate) fn recurrence(&self, a: &Self, axis: usize, reverse: bool) -> Self {
        self.scan(axis, |part, n, inner, y| {
            let (a, b) = (&a.as_slice()[part.start / n * (n - 1)..], &self.as_slice()[part]);
            with_scratch(inner, |last| scan::recurrence(a, b, n, inner, reverse, last, y));
        })
    }

    /// Runs a kernel for ranges of the elements in parallel, with the size of the axis and the number of elements at each of its
    /// positions. A scalar counts as one axis of size 1.
    fn scan(&self, axis: usize, kernel: impl Fn(Range<usize>, usize, usize, &mut [T]) + Sync) -> Self {
        let n = self.shape().get(axis).copied().unwrap_or(1);
        let inner: usize = self.shape().iter().skip(axis + 1).product();
        Tensor::build(self.dims(), |y| {
            let size = chunk_size(y.len(), n * inner);
            for_each_chunk(y, size, |index, y| kernel(index * size..index * size + y.len(), n, inner, y));
        })
    }
}

/// Resolves the axis of a scan; a scalar counts as one axis, as in PyTorch.
#[track_caller]
pub(crate) fn scan_axis(op: &str, shape: &[usize], axis: i128) -> usize {
    resolve_axis(op, axis, if shape.is_empty() { &[1] } else { shape })
}
