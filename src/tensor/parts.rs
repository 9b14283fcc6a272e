//! Slicing, splitting and joining tensors.

use super::view::{chunks, pieces, pieces_of_sizes};
use super::{Axes, AxisIndex, AxisRange, Dims, Float, Tensor, View, check_shape, resolve_axis, resolve_new_axis};
use crate::kernel::strided;
use crate::panics;
use smallvec::smallvec;
use std::borrow::Borrow;
use std::ops::Range;

impl<T: Float> Tensor<T> {
    /// A range of one axis, with the semantics of a Python slice: negative positions count from the end, and the range is
    /// clamped to the axis.
    ///
    /// A contiguous part, such as consecutive rows, is not copied: it shares the memory of the whole, which is kept for as long as
    /// the part exists. Writing to either does not change the other.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].slice(1, ..-1), tensor![[1.0, 2.0], [4.0, 5.0]]);
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: impl AxisIndex, range: impl AxisRange) -> Self {
        self.slice_step(axis, range, 1)
    }

    /// Every `step`-th position of a range of one axis; a negative step goes from the end of the range to its start.
    ///
    /// # Panics
    /// If the axis is out of range, or the step is 0.
    #[track_caller]
    pub fn slice_step(&self, axis: impl AxisIndex, range: impl AxisRange, step: isize) -> Self {
        self.slice_by(&View::slice(self.shape(), axis.index(), range, step))
    }

    /// One position of an axis, which is removed; −1 is the last.
    ///
    /// # Panics
    /// If the axis or the index is out of range.
    #[track_caller]
    pub fn select(&self, axis: impl AxisIndex, index: impl AxisIndex) -> Self {
        self.slice_by(&View::select(self.shape(), axis.index(), index.index()))
    }

    /// Splits along an axis into pieces of the given size; the last one may be smaller.
    ///
    /// # Panics
    /// If the axis is out of range, or the size is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].split(2, 0), [tensor![1.0, 2.0], tensor![3.0]]);
    /// ```
    #[track_caller]
    pub fn split(&self, size: usize, axis: impl AxisIndex) -> Vec<Self> {
        let axis = resolve_axis("split", axis.index(), self.shape());
        self.cut(axis, pieces(size, axis, self.shape()))
    }

    /// Splits along an axis into pieces of the given sizes.
    ///
    /// # Panics
    /// If the axis is out of range, or the sizes do not add up to its size.
    #[track_caller]
    pub fn split_with_sizes(&self, sizes: &[usize], axis: impl AxisIndex) -> Vec<Self> {
        let axis = resolve_axis("split", axis.index(), self.shape());
        self.cut(axis, pieces_of_sizes(sizes, axis, self.shape()))
    }

    /// Splits along an axis into at most `count` pieces of size ⌈n / count⌉; the last one may be smaller.
    ///
    /// # Panics
    /// If the axis is out of range, or `count` is 0.
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: impl AxisIndex) -> Vec<Self> {
        let axis = resolve_axis("chunk", axis.index(), self.shape());
        self.cut(axis, chunks(count, axis, self.shape()))
    }

    #[inline(never)]
    fn cut(&self, axis: usize, ranges: Vec<Range<usize>>) -> Vec<Self> {
        ranges.into_iter().map(|range| self.slice_by(&View::narrowed(self.shape(), axis, range))).collect()
    }

    /// Reverses the order of the elements along the given [`Axes`].
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![[1.0, 2.0], [3.0, 4.0]].flip(1), tensor![[2.0, 1.0], [4.0, 3.0]]);
    /// ```
    #[track_caller]
    pub fn flip(&self, axes: impl Axes) -> Self {
        self.slice_by(&View::flip(self.shape(), &axes))
    }

    /// The diagonal of two axes, the elements with `column − row = offset`; the two axes are removed and it becomes the last.
    ///
    /// # Panics
    /// If an axis is out of range, or both are the same.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![[1.0, 2.0], [3.0, 4.0]].diagonal(0, -2, -1), tensor![1.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize, rows: impl AxisIndex, columns: impl AxisIndex) -> Self {
        self.slice_by(&View::diagonal(self.shape(), offset, rows, columns))
    }

    /// Joins values along an existing axis; their sizes may differ on that axis only.
    ///
    /// # Panics
    /// If there are no values, the axis is out of range, or their other sizes differ.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let joined = Tensor::concat(&[tensor![[1.0], [2.0]], tensor![[3.0, 4.0], [5.0, 6.0]]], 1);
    /// assert_eq!(joined, tensor![[1.0, 3.0, 4.0], [2.0, 5.0, 6.0]]);
    /// ```
    #[track_caller]
    pub fn concat(values: &[impl Borrow<Tensor<T>>], axis: impl AxisIndex) -> Self {
        let values: Vec<&Tensor<T>> = values.iter().map(Borrow::borrow).collect();
        let Some(first) = values.first() else { panics::nothing_to_join("concat") };
        let axis = resolve_axis("concat", axis.index(), first.shape());
        if let Err(reason) = joins(&values, axis) {
            panics::wrong_shapes("concat", &reason, "");
        }
        Tensor::concat_with(&values, axis)
    }

    /// Joins values of equal shape along a new axis at the given position; −1 puts it last.
    ///
    /// # Panics
    /// If there are no values, the position is out of range, or their shapes differ.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(Tensor::stack(&[tensor![1.0, 2.0], tensor![3.0, 4.0]], 1), tensor![[1.0, 3.0], [2.0, 4.0]]);
    /// ```
    #[track_caller]
    pub fn stack(values: &[impl Borrow<Tensor<T>>], axis: impl AxisIndex) -> Self {
        let values: Vec<&Tensor<T>> = values.iter().map(Borrow::borrow).collect();
        let Some(first) = values.first() else { panics::nothing_to_join("stack") };
        let axis = resolve_new_axis("stack", axis.index(), first.shape());
        if let Err(reason) = stacks(&values) {
            panics::wrong_shapes("stack", &reason, "");
        }
        Tensor::stack_with(&values, axis)
    }

    /// [`concat`](Tensor::concat) of values that are known to join.
    #[inline(never)]
    pub(crate) fn concat_with(values: &[&Self], axis: usize) -> Self {
        let mut shape = values[0].dims();
        shape[axis] = values.iter().map(|x| x.shape()[axis]).sum();
        let inner: usize = shape[axis + 1..].iter().product();
        let row = shape[axis] * inner;
        Tensor::build(shape, |y| {
            let mut at = 0;
            for x in values {
                let length = x.shape()[axis] * inner;
                let shape = Dims::from_slice(&[y.len().checked_div(row).unwrap_or(0), length]);
                strided::scatter(x.as_slice(), &View { offset: at, shape, strides: smallvec![row as isize, 1] }, y);
                at += length;
            }
        })
    }

    /// [`stack`](Tensor::stack) of values of equal shape.
    #[inline(never)]
    pub(crate) fn stack_with(values: &[&Self], axis: usize) -> Self {
        let (outer, inner) = values[0].shape().split_at(axis);
        let one: Dims = outer.iter().copied().chain([1]).chain(inner.iter().copied()).collect();
        let values: Vec<Self> = values.iter().map(|x| x.with_shape(one.clone())).collect();
        Tensor::concat_with(&values.iter().collect::<Vec<_>>(), axis)
    }
}

/// Checks that the shapes differ on one axis only; the error is why they do not join.
pub(crate) fn joins<T: Float>(values: &[&Tensor<T>], axis: usize) -> Result<(), String> {
    let first = values[0].shape();
    for x in values {
        let differs = |&k: &usize| k != axis && x.shape()[k] != first[k];
        if x.rank() != first.len() {
            return Err(panics::ranks_differ(first, x.shape()));
        }
        if let Some(clash) = (0..first.len()).find(differs) {
            return Err(panics::do_not_join(first, x.shape(), axis, clash));
        }
    }
    let whole = values.iter().fold(0usize, |sum, x| sum.saturating_add(x.shape()[axis]));
    let mut joined = Dims::from_slice(first);
    joined[axis] = whole;
    check_shape(joined).map(|_| ())
}

/// Checks that the shapes are equal; the error names two that differ.
pub(crate) fn stacks<T: Float>(values: &[&Tensor<T>]) -> Result<(), String> {
    let first = values[0].shape();
    match values.iter().find(|x| x.shape() != first) {
        Some(x) => Err(panics::do_not_stack(first, x.shape())),
        None => check_shape([values.len()].iter().chain(first).copied().collect()).map(|_| ()),
    }
}
