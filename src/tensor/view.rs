//! Strided views of a tensor, from slices, indices and axes.

use super::shape::{resolve_axes, resolve_index};
use super::{Axes, AxisIndex, AxisRange, Dims, View, reduction_of, resolve_axis};
use crate::panics;
use std::ops::{Bound, Range};

impl View {
    /// Repeats along axes of size 1, and along new leading axes, to a shape that `own` broadcasts to.
    pub(crate) fn broadcast(own: &[usize], shape: &[usize]) -> Self {
        let mut view = View::contiguous(own);
        let stride = |axis: usize| match (axis + own.len()).checked_sub(shape.len()) {
            Some(k) if own[k] != 1 => view.strides[k],
            _ => 0,
        };
        view.strides = (0..shape.len()).map(stride).collect();
        view.shape = Dims::from_slice(shape);
        view
    }

    /// A range of one axis, which must be within bounds.
    pub(crate) fn narrowed(shape: &[usize], axis: usize, range: Range<usize>) -> Self {
        let mut view = View::contiguous(shape);
        view.offset = range.start * view.strides[axis] as usize;
        view.shape[axis] = range.len();
        view
    }

    /// Every `step`-th position of a range of one axis; a negative step goes from its end to its start.
    #[track_caller]
    pub(crate) fn slice(shape: &[usize], axis: i128, range: impl AxisRange, step: isize) -> Self {
        let axis = resolve_axis("slice", axis, shape);
        if step == 0 {
            panics::slice_step(shape);
        }
        let n = shape[axis] as i128;
        // Clipped last: the position after one before the start may be before the start too.
        let position = |k: i128, after: i128| ((if k < 0 { k + n } else { k }) + after).clamp(0, n) as isize;
        let (start, end) = range.bounds();
        let start = match start {
            Bound::Included(k) => position(k, 0),
            Bound::Excluded(k) => position(k, 1),
            Bound::Unbounded => 0,
        };
        let end = match end {
            Bound::Included(k) => position(k, 1),
            Bound::Excluded(k) => position(k, 0),
            Bound::Unbounded => n as isize,
        };
        let count = ((end - start).max(0) as usize).div_ceil(step.unsigned_abs());
        let mut view = View::contiguous(shape);
        let first = if step > 0 { start } else { end - 1 };
        if count > 0 {
            view.offset = (first * view.strides[axis]) as usize;
        }
        // With fewer than two positions the step does not matter, and may be too large.
        view.strides[axis] *= if count > 1 { step } else { 1 };
        view.shape[axis] = count;
        view
    }

    /// One position of an axis, which is removed.
    #[track_caller]
    pub(crate) fn select(shape: &[usize], axis: i128, index: i128) -> Self {
        let axis = resolve_axis("select", axis, shape);
        let Some(position) = resolve_index(index, shape[axis]) else {
            panics::selection_out_of_range("select", index, axis, shape)
        };
        let mut view = View::contiguous(shape);
        view.offset = position * view.strides[axis] as usize;
        view.shape.remove(axis);
        view.strides.remove(axis);
        view
    }

    /// Reverses the given axes.
    #[track_caller]
    pub(crate) fn flip(shape: &[usize], axes: &impl Axes) -> Self {
        let mut view = View::contiguous(shape);
        for &axis in &reduction_of("flip", shape, axes).axes {
            view.offset += shape[axis].saturating_sub(1) * view.strides[axis] as usize;
            view.strides[axis] = -view.strides[axis];
        }
        view
    }

    /// The diagonal of two axes, which are removed; it becomes the last axis. `offset` is `column − row`.
    #[track_caller]
    pub(crate) fn diagonal(shape: &[usize], offset: isize, rows: impl AxisIndex, columns: impl AxisIndex) -> Self {
        let axes = resolve_axes("diagonal", &[rows.index(), columns.index()], shape);
        let (rows, columns) = (axes[0], axes[1]);
        if rows == columns {
            panics::axis_twice("diagonal", rows, shape);
        }
        let whole = View::contiguous(shape);
        let [below, right] = [offset.min(0), offset.max(0)].map(isize::unsigned_abs);
        let length = shape[rows].saturating_sub(below).min(shape[columns].saturating_sub(right));
        let others = || (0..shape.len()).filter(|&axis| axis != rows && axis != columns);
        let start = || below * whole.strides[rows] as usize + right * whole.strides[columns] as usize;
        View {
            offset: if length > 0 { start() } else { 0 },
            shape: others().map(|axis| shape[axis]).chain([length]).collect(),
            strides: others()
                .map(|axis| whole.strides[axis])
                .chain([whole.strides[rows] + whole.strides[columns]])
                .collect(),
        }
    }
}

/// The ranges of equal pieces of an axis; the last one may be smaller. An empty axis is one piece.
#[track_caller]
pub(crate) fn pieces(size: usize, axis: usize, shape: &[usize]) -> Vec<Range<usize>> {
    if size == 0 {
        panics::piece_size(axis, shape);
    }
    let n = shape[axis];
    (0..n.div_ceil(size).max(1)).map(|k| k * size..(k * size).saturating_add(size).min(n)).collect()
}

/// The ranges of the pieces of an axis with the given sizes.
#[track_caller]
pub(crate) fn pieces_of_sizes(sizes: &[usize], axis: usize, shape: &[usize]) -> Vec<Range<usize>> {
    let total: u128 = sizes.iter().map(|&size| size as u128).sum();
    if total != shape[axis] as u128 {
        panics::piece_sizes(sizes, total, axis, shape);
    }
    let mut start = 0;
    let piece = |&size: &usize| {
        start += size;
        start - size..start
    };
    sizes.iter().map(piece).collect()
}

/// The ranges of at most `count` equal pieces of an axis; the last one may be smaller. An empty axis has `count` empty pieces.
#[track_caller]
pub(crate) fn chunks(count: usize, axis: usize, shape: &[usize]) -> Vec<Range<usize>> {
    match shape[axis] {
        _ if count == 0 || (shape[axis] == 0 && count > MAX_EMPTY_PIECES) => panics::chunk_count(count, axis, shape),
        0 => vec![0..0; count],
        n => pieces(n.div_ceil(count), axis, shape),
    }
}

/// The most pieces of an empty axis: more are a mistake, which might take all memory.
const MAX_EMPTY_PIECES: usize = 1 << 16;
