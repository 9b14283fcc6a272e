//! Copies between contiguous memory and strided views: permute, slice, flip, expand and their adjoints.

use crate::kernel::Float;
use crate::kernel::base::dims::Dims;
use crate::kernel::base::threads::{chunk_size, for_each_chunk, num_threads};
use crate::kernel::elementwise::update;
use smallvec::SmallVec;
use std::ops::Range;

/// The shortest side of a matrix from which on transposing whole squares pays.
const MIN_SIDE: usize = 8;
/// The shortest run that is copied by `memcpy`.
const MIN_RUN: usize = 8;

/// A strided view of a slice: the offset of its first element, and the size and stride of each axis.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) offset: usize,
    pub(crate) shape: Dims,
    pub(crate) strides: SmallVec<[isize; 4]>,
}

impl View {
    /// The row-major view of all elements of a slice of the given shape.
    pub(crate) fn contiguous(shape: &[usize]) -> Self {
        let mut strides: SmallVec<[isize; 4]> = shape.iter().map(|_| 0).collect();
        let mut step = 1;
        for axis in (0..shape.len()).rev() {
            strides[axis] = step;
            step *= shape[axis] as isize;
        }
        View { offset: 0, shape: Dims::from_slice(shape), strides }
    }

    /// The same elements in the same order with as few axes as possible, so that the innermost run is long.
    pub(crate) fn coalesced(&self) -> Self {
        let mut axes: SmallVec<[(usize, isize); 4]> = SmallVec::new();
        for (&n, &stride) in self.shape.iter().zip(&self.strides).filter(|(n, _)| **n != 1) {
            match axes.last_mut() {
                Some((size, step)) if *step == stride * n as isize => (*size, *step) = (*size * n, stride),
                _ => axes.push((n, stride)),
            }
        }
        let (shape, strides) = (axes.iter().map(|axis| axis.0).collect(), axes.iter().map(|axis| axis.1).collect());
        View { offset: self.offset, shape, strides }
    }

    /// The range of the elements of a [`coalesced`](View::coalesced) view, if it is not empty and contiguous.
    pub(crate) fn as_contiguous_range(&self) -> Option<Range<usize>> {
        let (n, stride) = self.run();
        (self.shape.len() <= 1 && n > 0 && stride == 1).then(|| self.offset..self.offset + n)
    }

    /// Calls `f` with the offset of each innermost run, in row-major order.
    fn for_each_run(&self, mut f: impl FnMut(usize)) {
        let outer = self.shape.len().saturating_sub(1);
        if self.shape.contains(&0) {
            return;
        }
        let mut index: Dims = self.shape.iter().map(|_| 0).collect();
        let mut at = self.offset as isize;
        loop {
            f(at as usize);
            let mut axis = outer;
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                at += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.strides[axis] * self.shape[axis] as isize;
                index[axis] = 0;
            }
        }
    }

    /// Calls `f` with the offset of each element, in row-major order.
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize)) {
        let (n, stride) = self.run();
        self.for_each_run(|at| (0..n as isize).for_each(|k| f(at.wrapping_add_signed(k * stride))));
    }

    /// The axis of stride 1, if it is not the last one and both are long enough to transpose matrices.
    fn contiguous_axis(&self) -> Option<usize> {
        let long = |axis: usize| self.shape[axis] >= MIN_SIDE;
        let (n, stride) = self.run();
        let axis = self.strides.iter().position(|&stride| stride == 1)?;
        (stride > 1 && n >= MIN_SIDE && long(axis)).then_some(axis)
    }

    /// The view of some positions on the first axis, with another offset.
    fn part(&self, positions: Range<usize>, offset: usize) -> Self {
        let mut part = self.clone();
        part.shape[0] = positions.len();
        part.offset = offset.wrapping_add_signed(positions.start as isize * self.strides[0]);
        part
    }

    /// The number of elements at each position on the first axis.
    fn inner(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// Whether each position on the first axis has a range of the slice of its own, in ascending order.
    fn is_split_by_first_axis(&self) -> bool {
        if self.shape.is_empty() || self.strides.iter().any(|&stride| stride <= 0) {
            return false;
        }
        let inner = self.shape.iter().zip(&self.strides).skip(1);
        inner.map(|(n, &stride)| (n - 1) * stride as usize).sum::<usize>() < self.strides[0] as usize
    }

    /// The length and stride of the innermost run.
    fn run(&self) -> (usize, isize) {
        match (self.shape.last(), self.strides.last()) {
            (Some(&n), Some(&stride)) => (n, stride),
            _ => (1, 1),
        }
    }
}

/// `y[k] = x[view[k]]`: reads a [`coalesced`](View::coalesced) view in row-major order.
#[inline(never)]
pub(crate) fn gather<T: Float>(x: &[T], view: &View, y: &mut [T]) {
    if y.is_empty() || chunk_size(y.len(), 1) == y.len() {
        return gather_part(x, view, y);
    }
    let inner = view.inner();
    if view.shape[0] < num_threads() {
        // The axes below have more positions.
        return y.chunks_exact_mut(inner).enumerate().for_each(|(at, y)| {
            gather(x, &view.part(at..at + 1, view.offset).coalesced(), y);
        });
    }
    let size = chunk_size(y.len(), inner);
    for_each_chunk(y, size, |index, y| {
        let start = index * size / inner;
        gather_part(x, &view.part(start..start + y.len() / inner, view.offset), y);
    });
}

/// [`gather`] on one thread.
fn gather_part<T: Float>(x: &[T], view: &View, y: &mut [T]) {
    let (n, stride) = view.run();
    if let Some(axis) = view.contiguous_axis() {
        return transpose(x, view, axis, y);
    }
    let mut rows = y.chunks_exact_mut(n.max(1));
    view.for_each_run(|at| {
        let row = rows.next().expect("the output has a row for each run");
        match stride {
            1 if n >= MIN_RUN => row.copy_from_slice(&x[at..at + n]),
            0 if n >= MIN_RUN => row.fill(x[at]),
            -1 => copy_reversed(&x[at + 1 - n..=at], row),
            _ => row.iter_mut().enumerate().for_each(|(k, y)| *y = x[at.wrapping_add_signed(k as isize * stride)]),
        }
    });
}

/// `y[view[k]] = x[k]`: writes the view in row-major order; no element may occur twice in it.
#[inline(never)]
pub(crate) fn scatter<T: Float>(x: &[T], view: &View, y: &mut [T]) {
    for_each_row(x, view, y, |row, y, at, stride| match stride {
        1 if row.len() >= MIN_RUN => y[at..at + row.len()].copy_from_slice(row),
        -1 => copy_reversed(row, &mut y[at + 1 - row.len()..=at]),
        _ => row.iter().enumerate().for_each(|(k, &x)| y[at.wrapping_add_signed(k as isize * stride)] = x),
    });
}

/// `y[view[k]] += x[k]`.
#[inline(never)]
pub(crate) fn add<T: Float>(x: &[T], view: &View, y: &mut [T]) {
    for_each_row(x, view, y, |row, y, at, stride| match stride {
        1 => update(&mut y[at..at + row.len()], row, |y, x| y + x),
        _ => row.iter().enumerate().for_each(|(k, &x)| y[at.wrapping_add_signed(k as isize * stride)] += x),
    });
}

/// Calls `f` with the elements of `x` for each run of a view of `y`, with the part of `y` where it is, and with its offset there and its
/// stride.
#[inline]
fn for_each_row<T: Float>(x: &[T], view: &View, y: &mut [T], f: impl Fn(&[T], &mut [T], usize, isize) + Sync) {
    let view = view.coalesced();
    let rows = |x: &[T], view: &View, y: &mut [T]| {
        let (n, stride) = view.run();
        let mut rows = x.chunks_exact(n.max(1));
        view.for_each_run(|at| f(rows.next().expect("the input has a row for each run"), y, at, stride));
    };
    if x.is_empty() || !view.is_split_by_first_axis() {
        return rows(x, &view, y);
    }
    let (inner, step) = (view.inner(), view.strides[0] as usize);
    let positions = chunk_size(x.len(), inner) / inner;
    let end = y.len().min(view.offset + view.shape[0] * step);
    for_each_chunk(&mut y[view.offset..end], positions * step, |index, y| {
        let start = index * positions;
        let part = start..(start + positions).min(view.shape[0]);
        rows(&x[part.start * inner..part.end * inner], &view.part(0..part.len(), 0), y);
    });
}

simd! {
    pub(crate) fn copy_reversed[T: Copy](x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x.iter().rev()) {
            *y = x;
        }
    }
}

/// [`gather`] of a view with an axis of stride 1 before the last: transposes matrices, one for each position on the other axes.
fn transpose<T: Float>(x: &[T], view: &View, axis: usize, y: &mut [T]) {
    let (target, last) = (View::contiguous(&view.shape), view.shape.len() - 1);
    let others = |whole: &View| {
        let mut rest = whole.clone();
        for axis in [last, axis] {
            rest.shape.remove(axis);
            rest.strides.remove(axis);
        }
        rest
    };
    let mut starts = Vec::new();
    others(&target).for_each(|at| starts.push(at));
    let (mut starts, rows, columns) = (starts.into_iter(), view.shape[axis], view.shape[last]);
    let (step_x, step_y) = (view.strides[last], target.strides[axis] as usize);
    others(view).for_each(|at| {
        let start = starts.next().expect("both views have the same shape");
        T::transpose(columns, rows, &x[at..], step_x as usize, &mut y[start..], step_y);
    });
}
