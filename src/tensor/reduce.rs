//! Reductions over all, one or several axes.

use super::{Axes, AxisIndex, Dims, Float, Reduction, Tensor, element_count, reduction_of, resolve_axis, sums_to};
use crate::kernel::base::memory::with_scratch;
use crate::kernel::reduce;
use crate::panics;

impl<T: Float> Tensor<T> {
    /// The sum of all elements.
    pub fn sum(&self) -> Self {
        self.sum_over(..)
    }

    /// The sum over [`Axes`].
    ///
    /// # Panics
    /// If an axis is out of range or named twice, as the other reductions do.
    #[track_caller]
    pub fn sum_over(&self, axes: impl Axes) -> Self {
        self.sum_with(&reduction_of("sum", self.shape(), &axes))
    }

    #[inline(never)]
    pub(crate) fn sum_with(&self, reduction: &Reduction) -> Self {
        self.reduce_with(reduction, reduce::sum_axis)
    }

    /// The mean of all elements; NaN if there are none.
    pub fn mean(&self) -> Self {
        self.mean_over(..)
    }

    /// The mean over [`Axes`].
    #[track_caller]
    pub fn mean_over(&self, axes: impl Axes) -> Self {
        let reduction = reduction_of("mean", self.shape(), &axes);
        self.sum_with(&reduction) / reduction.count as f64
    }

    /// The largest element; NaN if any element is, −∞ if there are none.
    pub fn max(&self) -> Self {
        self.max_over(..)
    }

    /// The largest element over [`Axes`].
    #[track_caller]
    pub fn max_over(&self, axes: impl Axes) -> Self {
        self.largest(&reduction_of("max", self.shape(), &axes))
    }

    /// The smallest element; NaN if any element is, ∞ if there are none.
    pub fn min(&self) -> Self {
        self.min_over(..)
    }

    /// The smallest element over [`Axes`].
    #[track_caller]
    pub fn min_over(&self, axes: impl Axes) -> Self {
        self.smallest(&reduction_of("min", self.shape(), &axes))
    }

    #[inline(never)]
    pub(crate) fn largest(&self, reduction: &Reduction) -> Self {
        self.fold_with(reduction, T::NEG_INFINITY, T::maximum)
    }

    #[inline(never)]
    pub(crate) fn smallest(&self, reduction: &Reduction) -> Self {
        self.fold_with(reduction, T::INFINITY, T::minimum)
    }

    /// The product of all elements; 1 if there are none.
    pub fn prod(&self) -> Self {
        self.prod_over(..)
    }

    /// The product over [`Axes`].
    #[track_caller]
    pub fn prod_over(&self, axes: impl Axes) -> Self {
        self.product_of(&reduction_of("prod", self.shape(), &axes))
    }

    #[inline(never)]
    fn product_of(&self, reduction: &Reduction) -> Self {
        self.reduce_with(reduction, |x, n, inner, y| {
            with_scratch(inner, |products| reduce::product(x, n, inner, products, y))
        })
    }

    /// Merges the reduced axes into one last axis.
    pub(crate) fn last(&self, reduction: &Reduction) -> Self {
        let (order, shape) = reduction.to_last();
        match order {
            Some(order) => self.permute_axes(&order).with_shape(shape),
            None => self.with_shape(shape),
        }
    }

    /// `f` folded over the reduced axes in order, from `start`.
    fn fold_with(&self, reduction: &Reduction, start: T, f: impl Fn(T, T) -> T + Copy + Sync) -> Self {
        self.reduce_with(reduction, move |x, n, inner, y| reduce::fold(x, n, inner, y, start, f))
    }

    /// The index of the first largest element along an axis, in row-major order of the other axes.
    ///
    /// # Panics
    /// If the axis is out of range, or has no elements to choose from.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![[1.0, 3.0], [4.0, 2.0]].argmax(1), [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmax(&self, axis: impl AxisIndex) -> Vec<usize> {
        self.argmax_along(axis.index())
    }

    #[track_caller]
    #[inline(never)]
    fn argmax_along(&self, axis: i128) -> Vec<usize> {
        self.position_of("argmax", axis, true)
    }

    /// The index of the first smallest element along an axis, in row-major order of the other axes.
    ///
    /// # Panics
    /// If the axis is out of range, or has no elements to choose from.
    #[track_caller]
    pub fn argmin(&self, axis: impl AxisIndex) -> Vec<usize> {
        self.argmin_along(axis.index())
    }

    #[track_caller]
    #[inline(never)]
    fn argmin_along(&self, axis: i128) -> Vec<usize> {
        self.position_of("argmin", axis, false)
    }

    /// The index of the first largest or smallest element along an axis; that of the first NaN if there is one.
    #[track_caller]
    pub(crate) fn position_of(&self, op: &str, axis: i128, largest: bool) -> Vec<usize> {
        let axis = resolve_axis(op, axis, self.shape());
        let n = self.shape[axis];
        if n == 0 {
            panics::nothing_to_choose(op, axis, self.shape());
        }
        let reduction = reduction_of(op, self.shape(), &axis);
        let values = if largest { self.largest(&reduction) } else { self.smallest(&reduction) };
        let mut positions = vec![0; values.len()];
        let inner = self.shape[axis + 1..].iter().product();
        reduce::positions(self.as_slice(), n, inner, values.as_slice(), &mut positions);
        positions
    }

    /// Runs a kernel over `[outer, n, inner]`, with the reduced axes in the middle.
    ///
    /// Adjacent axes are one axis to the kernel; others are made adjacent by a permutation first.
    fn reduce_with(&self, reduction: &Reduction, kernel: impl Fn(&[T], usize, usize, &mut [T]) + Sync) -> Self {
        let together = reduction.axes.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let moved;
        let (x, inner) = if together {
            (self, reduction.axes.last().map_or(1, |&last| self.shape[last + 1..].iter().product()))
        } else {
            let left = (0..self.rank()).filter(|k| !reduction.axes.contains(k));
            moved = self.permute_axes(&left.chain(reduction.axes.iter().copied()).collect::<Dims>());
            (&moved, 1)
        };
        let n = reduction.count;
        Tensor::build(reduction.shape.clone(), |y| {
            reduce::in_parts(x.as_slice(), n, inner, y, |_, x, y| kernel(x, n, inner, y));
        })
    }

    /// Sums down to a shape that broadcasts to this one: the adjoint of broadcasting.
    #[inline(never)]
    pub(crate) fn summed_to(&self, shape: &[usize]) -> Self {
        if shape == self.shape() {
            return self.clone();
        }
        debug_assert!(sums_to(self.shape(), shape));
        let new = self.rank() - shape.len();
        if self.shape[new..] == *shape {
            // Whole copies are consecutive.
            let copies = self.shape[..new].iter().product();
            let shape = Dims::from_slice(shape);
            return match copies {
                1 => self.with_shape(shape),
                _ => {
                    let size = element_count(&shape);
                    Tensor::build(shape, |y| reduce::sum_axis(self.as_slice(), copies, size, y))
                }
            };
        }
        let repeated = |&k: &usize| k < new || (shape[k - new] == 1 && self.shape[k] != 1);
        let axes: Dims = (0..self.rank()).filter(repeated).collect();
        self.sum_over(axes.as_slice()).with_shape(Dims::from_slice(shape))
    }
}
