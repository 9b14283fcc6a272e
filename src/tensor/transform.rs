//! Changing the shape: elements that keep their order are shared, others are copied.

use super::shape::resolve_axes;
use super::{
    AxisIndex, Dims, Float, IntoShape, Tensor, View, broadcast, checked_shape, element_count, resolve_axis,
    resolve_shape,
};
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::elementwise::fill;
use crate::kernel::strided;
use crate::panics;
use std::ops::Range;

impl<T: Float> Tensor<T> {
    /// The same elements in another shape; one entry may be −1.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoShape) -> Self {
        self.with_shape(resolve_shape("reshape", shape, Some((self.len(), self.shape()))))
    }

    /// Replaces the shape by one of the same number of elements.
    pub(crate) fn with_shape(&self, shape: Dims) -> Self {
        Tensor { shape, buffer: self.buffer.clone() }
    }

    /// Permutes the axes: axis `k` of the result is axis `axes[k]` of the input.
    ///
    /// # Panics
    /// If `axes` does not name each axis once.
    #[track_caller]
    pub fn permute(&self, axes: impl IntoShape) -> Self {
        self.permute_axes(&permutation(&axes.entries(), self.shape()))
    }

    /// [`permute`](Tensor::permute) with axes known to be a permutation.
    pub(crate) fn permute_axes(&self, axes: &[usize]) -> Self {
        let mut view = View::contiguous(self.shape());
        view.strides = axes.iter().map(|&k| view.strides[k]).collect();
        view.shape = axes.iter().map(|&k| self.shape[k]).collect();
        self.slice_by(&view)
    }

    /// Swaps two axes.
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    pub fn transpose(&self, a: impl AxisIndex, b: impl AxisIndex) -> Self {
        let mut axes: Dims = (0..self.rank()).collect();
        axes.swap(
            resolve_axis("transpose", a.index(), self.shape()),
            resolve_axis("transpose", b.index(), self.shape()),
        );
        self.permute_axes(&axes)
    }

    /// Repeats along axes of size 1, and along new leading axes, to the given shape; −1 keeps the size of an axis.
    ///
    /// # Panics
    /// If the tensor does not broadcast to that shape.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Self {
        self.expand_to(&broadcast_target(self.shape(), &shape.entries()))
    }

    /// [`broadcast_to`](Tensor::broadcast_to) with a shape known to fit.
    pub(crate) fn expand_to(&self, shape: &[usize]) -> Self {
        self.slice_by(&View::broadcast(self.shape(), shape))
    }

    /// The elements of a view of this tensor's memory; shared if they are contiguous.
    #[inline(never)]
    pub(crate) fn slice_by(&self, view: &View) -> Self {
        let (shape, view) = (view.shape.clone(), view.coalesced());
        match view.as_contiguous_range() {
            Some(range) => Tensor { shape, buffer: self.buffer.part(range) },
            None => Tensor::build(shape, |y| strided::gather(self.as_slice(), &view, y)),
        }
    }

    /// A tensor of the given shape with these elements at the positions of a view, and a number everywhere else.
    #[inline(never)]
    pub(crate) fn pad_by(&self, view: &View, shape: &[usize], value: f64) -> Self {
        if self.len() == element_count(shape) {
            // The view visits all elements, some axes in reverse: it is its own inverse.
            return self.slice_by(view).with_shape(Dims::from_slice(shape));
        }
        let value = T::from_f64(value);
        Tensor::build(Dims::from_slice(shape), |y| match view.coalesced().as_contiguous_range() {
            Some(range) => {
                fill(&mut y[..range.start], value);
                fill(&mut y[range.end..], value);
                strided::scatter(self.as_slice(), view, y);
            }
            None => {
                fill(y, value);
                strided::scatter(self.as_slice(), view, y);
            }
        })
    }

    /// Adds a tensor to the elements at the positions of a view, which visits none of them twice.
    pub(crate) fn add_to_part(&mut self, view: &View, x: &Self) {
        strided::add(x.as_slice(), view, self.as_mut_slice());
    }

    /// Repeats the whole tensor along each axis; extra leading repeats create new axes. numpy's `tile`.
    ///
    /// # Panics
    /// If there are fewer repeats than axes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0].repeat([2, 2]), tensor![[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]);
    /// ```
    #[track_caller]
    pub fn repeat(&self, repeats: impl IntoShape) -> Self {
        let [apart, tiled, merged] = tiling(self.shape(), &repeats.entries());
        self.with_shape(apart).expand_to(&tiled).with_shape(merged)
    }

    /// Repeats each position of an axis `times` times in a row.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0].repeat_interleave(2, 0), tensor![1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, times: usize, axis: impl AxisIndex) -> Self {
        let [apart, tiled, merged] = interleaving(self.shape(), times, axis.index());
        self.with_shape(apart).expand_to(&tiled).with_shape(merged)
    }

    /// Shifts the elements along an axis; those shifted past the end reappear at the start. A negative shift goes the other way.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].roll(1, 0), tensor![3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: impl AxisIndex) -> Self {
        self.roll_axis(shift, resolve_axis("roll", axis.index(), self.shape()))
    }

    /// [`roll`](Tensor::roll) along a resolved axis.
    #[inline(never)]
    pub(crate) fn roll_axis(&self, shift: isize, axis: usize) -> Self {
        if self.is_empty() {
            return self.clone();
        }
        let n = self.shape[axis];
        let inner: usize = self.shape[axis + 1..].iter().product();
        let start = (shift as i128).rem_euclid(n as i128) as usize * inner;
        Tensor::build(self.dims(), |y| {
            let size = chunk_size(y.len(), n * inner);
            for_each_chunk(y, size, |index, y| {
                let blocks = self.as_slice()[index * size..].chunks_exact(n * inner);
                for (y, x) in y.chunks_exact_mut(n * inner).zip(blocks) {
                    let (head, tail) = x.split_at(x.len() - start);
                    y[..start].copy_from_slice(tail);
                    y[start..].copy_from_slice(head);
                }
            });
        })
    }

    /// The lower triangle of the matrices in the last two axes: 0 where `column − row > diagonal`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(Tensor::<f32>::ones([2, 3]).tril(0), tensor![[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn tril(&self, diagonal: isize) -> Self {
        let columns = matrix_columns("tril", self.shape());
        self.banded(|row| {
            0..(row as isize).saturating_add(diagonal).saturating_add(1).clamp(0, columns as isize) as usize
        })
    }

    /// The upper triangle of the matrices in the last two axes: 0 where `column − row < diagonal`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    #[inline(never)]
    pub fn triu(&self, diagonal: isize) -> Self {
        let columns = matrix_columns("triu", self.shape());
        self.banded(|row| (row as isize).saturating_add(diagonal).clamp(0, columns as isize) as usize..columns)
    }

    /// Keeps a range of columns in each row of the matrices in the last two axes; the rest is 0.
    fn banded(&self, kept: impl Fn(usize) -> Range<usize> + Sync) -> Self {
        let [.., rows, columns] = *self.shape() else { unreachable!("the caller checks that there are matrices") };
        if self.is_empty() {
            return self.clone();
        }
        Tensor::build(self.dims(), |y| {
            let size = chunk_size(y.len(), columns);
            for_each_chunk(y, size, |index, y| {
                let pairs = y.chunks_exact_mut(columns).zip(self.as_slice()[index * size..].chunks_exact(columns));
                for (k, (y, x)) in (index * size / columns..).zip(pairs) {
                    let kept = kept(k % rows);
                    y[..kept.start].fill(T::ZERO);
                    y[kept.end..].fill(T::ZERO);
                    y[kept.clone()].copy_from_slice(&x[kept]);
                }
            });
        })
    }
}

/// The number of columns of the matrices in the last two axes.
#[track_caller]
pub(crate) fn matrix_columns(op: &str, shape: &[usize]) -> usize {
    match shape {
        [.., _, columns] => *columns,
        _ => panics::no_matrix(op, shape),
    }
}

/// Three shapes: with an axis of size 1 before each axis, with these repeated, and with each pair merged into one axis.
#[track_caller]
pub(crate) fn tiling(shape: &[usize], repeats: &[i128]) -> [Dims; 3] {
    let Some(new) = repeats.len().checked_sub(shape.len()).filter(|_| repeats.iter().all(|&times| times >= 0)) else {
        panics::repeats(repeats, shape)
    };
    let sizes: Dims = std::iter::repeat_n(1, new).chain(shape.iter().copied()).collect();
    let pairs = || repeats.iter().map(|&times| usize::try_from(times).unwrap_or(usize::MAX)).zip(&sizes);
    let tiled = checked_shape("repeat", pairs().flat_map(|(times, &n)| [times, n]).collect());
    let merged = pairs().map(|(times, &n)| times * n).collect();
    [sizes.iter().flat_map(|&n| [1, n]).collect(), tiled, merged]
}

/// Three shapes: with an axis of size 1 after an axis, with that repeated, and with both merged into one axis.
#[track_caller]
pub(crate) fn interleaving(shape: &[usize], times: usize, axis: i128) -> [Dims; 3] {
    let axis = resolve_axis("repeat_interleave", axis, shape);
    let (before, after) = shape.split_at(axis + 1);
    let with = |n: usize| before.iter().copied().chain([n]).chain(after.iter().copied()).collect();
    let tiled = checked_shape("repeat_interleave", with(times));
    let mut merged = Dims::from_slice(shape);
    merged[axis] *= times;
    [with(1), tiled, merged]
}

/// Resolves the axes of a permutation.
#[track_caller]
pub(crate) fn permutation(axes: &[i128], shape: &[usize]) -> Dims {
    if axes.len() != shape.len() {
        panics::not_a_permutation(axes, shape);
    }
    let resolved = resolve_axes("permute", axes, shape);
    if (0..shape.len()).any(|k| !resolved.contains(&k)) {
        panics::not_a_permutation(axes, shape);
    }
    resolved
}

/// Resolves the target of broadcasting `shape`; −1 keeps the size of an axis.
#[track_caller]
pub(crate) fn broadcast_target(shape: &[usize], entries: &[i128]) -> Dims {
    let new = entries.len().checked_sub(shape.len());
    let size = |(axis, &d): (usize, &i128)| match (d, axis.checked_sub(new?)) {
        (-1, Some(own)) => Some(shape[own]),
        (d, _) => usize::try_from(d).ok(),
    };
    match entries.iter().enumerate().map(size).collect::<Option<Dims>>() {
        Some(target) if broadcast(shape, &target).as_ref() == Some(&target) => checked_shape("broadcast_to", target),
        _ => panics::does_not_broadcast_to("broadcast_to", shape, &entries),
    }
}
