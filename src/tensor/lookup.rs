//! Lookup of elements and rows by index.

use super::{AxisIndex, Dims, Float, Indices, Tensor, View, broadcast, checked_shape, element_count, resolve_axis};
use crate::kernel::lookup;
use crate::panics;
use std::rc::Rc;
use std::sync::Arc;

/// Indices along the middle axis of a value seen as `[outer, n, inner]`.
#[derive(Clone)]
pub(crate) struct Rows {
    indices: Rc<[usize]>,
    n: usize,
    inner: usize,
    /// The shape of the selected rows, `[outer, indices, inner]`.
    pub(crate) out_shape: Dims,
    /// The shape of the value that is indexed.
    pub(crate) in_shape: Dims,
}

impl Rows {
    /// The number of indices, and of the rows that they index.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.indices.len(), self.n)
    }

    pub(super) fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The axis and its indices, unless they are those of several axes.
    pub(crate) fn of_axis(&self) -> Option<(usize, Indices)> {
        let axis = replaced_axis([&self.in_shape, &self.out_shape], self.n, self.inner)?;
        let after = self.in_shape.len() - axis - 1;
        let own = &self.out_shape[axis..self.out_shape.len() - after];
        Some((axis, Indices::new(self.indices.to_vec(), own)))
    }

    /// The number of the leading axes, and the indices of these as one axis, unless they are those of another axis.
    pub(crate) fn of_leading(&self) -> Option<(usize, Indices)> {
        let fits = |&count: &usize| {
            let (leading, rest) = self.in_shape.split_at(count);
            element_count(leading) == self.n && element_count(rest) == self.inner && self.out_shape.ends_with(rest)
        };
        let count = (0..=self.in_shape.len()).rev().find(fits)?;
        let own = &self.out_shape[..self.out_shape.len() - (self.in_shape.len() - count)];
        Some((count, Indices::new(self.indices.to_vec(), own)))
    }

    /// Indices of one axis, which is replaced by axes of the sizes `own`.
    #[track_caller]
    pub(crate) fn along(op: &str, shape: &[usize], axis: i128, indices: &[usize], own: &[usize]) -> Self {
        let axis = resolve_axis(op, axis, shape);
        if let Some(&index) = indices.iter().find(|&&index| index >= shape[axis]) {
            panics::selection_out_of_range(op, index as i128, axis, shape);
        }
        let (outer, rest) = (&shape[..axis], &shape[axis + 1..]);
        Rows {
            indices: indices.into(),
            n: shape[axis],
            inner: element_count(rest),
            out_shape: checked_shape(op, outer.iter().chain(own).chain(rest).copied().collect()),
            in_shape: Dims::from_slice(shape),
        }
    }

    /// Indices of the leading axes, one array for each, which broadcast against each other.
    #[track_caller]
    pub(crate) fn of_leading_axes(shape: &[usize], arrays: &[Indices]) -> Self {
        if arrays.len() > shape.len() {
            panics::index_count(arrays.len(), shape);
        }
        let mut common = Dims::new();
        for array in arrays {
            match broadcast(&common, array.shape()) {
                Some(shape) => common = checked_shape("index", shape),
                None => panics::indices_do_not_broadcast(&common, array.shape()),
            }
        }
        let (leading, rest) = shape.split_at(arrays.len());
        let mut rows = vec![0; element_count(&common)];
        for (axis, (array, &n)) in arrays.iter().zip(leading).enumerate() {
            if let Some(&index) = array.as_slice().iter().find(|&&index| index >= n) {
                panics::selection_out_of_range("index", index as i128, axis, shape);
            }
            let (mut places, values) = (rows.iter_mut(), array.as_slice());
            View::broadcast(array.shape(), &common).for_each(|at| {
                let row = places.next().expect("one row for each position of the common shape");
                *row = *row * n + values[at];
            });
        }
        Rows {
            indices: rows.into(),
            n: element_count(leading),
            inner: element_count(rest),
            out_shape: checked_shape("index", common.iter().chain(rest).copied().collect()),
            in_shape: Dims::from_slice(shape),
        }
    }
}

/// One element of a value seen as `[outer, n, inner]` for each index along the middle axis.
#[derive(Clone)]
pub(crate) struct Positions {
    /// `[outer, k, inner]`.
    pub(crate) indices: Arc<Vec<usize>>,
    pub(crate) n: usize,
    pub(crate) inner: usize,
    /// The shape of the result, which has an element for each index.
    pub(crate) out_shape: Dims,
    /// The shape of the value that is indexed.
    pub(crate) in_shape: Dims,
}

impl Positions {
    /// Positions in the row-major order of a value.
    pub(crate) fn flat(positions: Vec<usize>, out_shape: Dims, in_shape: Dims) -> Self {
        Positions { indices: Arc::new(positions), n: element_count(&in_shape), inner: 1, out_shape, in_shape }
    }

    /// Indices along an axis; on the other axes an element has the position of its index. These axes may be longer than those of
    /// the indices: the positions are those in [`view_of`](Positions::view_of) the value.
    #[track_caller]
    pub(crate) fn along(op: &str, shape: &[usize], axis: i128, indices: &Indices) -> Self {
        let axis = resolve_axis(op, axis, shape);
        let fits = |k: usize| k == axis || indices.shape()[k] <= shape[k];
        if indices.shape().len() != shape.len() || !(0..shape.len()).all(fits) {
            panics::index_shape(op, indices.shape(), axis, shape);
        }
        if !lookup::all_below(indices.as_slice(), shape[axis]) {
            let index = indices.as_slice().iter().find(|&&index| index >= shape[axis]).expect("one is out of range");
            panics::selection_out_of_range(op, *index as i128, axis, shape);
        }
        let mut in_shape = Dims::from_slice(indices.shape());
        in_shape[axis] = shape[axis];
        Positions {
            indices: indices.shared(),
            n: shape[axis],
            inner: element_count(&in_shape[axis + 1..]),
            out_shape: Dims::from_slice(indices.shape()),
            in_shape,
        }
    }

    /// The axis of the indices, if the result differs from the value only in its size, or does not have it.
    pub(crate) fn axis(&self) -> Option<usize> {
        let axis = replaced_axis([&self.in_shape, &self.out_shape], self.n, self.inner);
        axis.filter(|_| self.out_shape.len() <= self.in_shape.len())
    }

    /// The view of a value of the given shape that the positions refer to.
    pub(crate) fn view_of(&self, shape: &[usize]) -> View {
        View { shape: self.in_shape.clone(), ..View::contiguous(shape) }
    }
}

/// The axis of size `n`, with `inner` elements behind it, that is replaced in the second shape, by any number of axes.
fn replaced_axis([from, to]: [&[usize]; 2], n: usize, inner: usize) -> Option<usize> {
    let fits = |&axis: &usize| {
        let (before, after) = (&from[..axis], &from[axis + 1..]);
        let kept = to.len() + 1 >= from.len() && to.starts_with(before) && to.ends_with(after);
        from[axis] == n && element_count(after) == inner && kept
    };
    (0..from.len()).find(fits)
}

/// Whether what is added at indices has the shape of what they select; the error says that it does not.
pub(crate) fn source_of(selected: &[usize], source: &[usize]) -> Result<(), String> {
    if source == selected { Ok(()) } else { Err(panics::source_shape(source, selected)) }
}

impl<T: Float> Tensor<T> {
    /// The rows at the given indices of the first axis: `[indices.len(), …]`.
    ///
    /// # Panics
    /// If there is no axis, or an index is out of range.
    #[track_caller]
    #[inline(never)]
    pub fn rows(&self, indices: &[usize]) -> Self {
        let Some(n) = self.shape().first() else { panics::axis_out_of_range("rows", 0, self.shape()) };
        if let Some(&row) = indices.iter().find(|&row| row >= n) {
            panics::row_out_of_range(row, self.shape());
        }
        self.select_rows(&Rows::along("rows", self.shape(), 0, indices, &[indices.len()]))
    }

    /// The given indices of an axis, in that order; an index may be repeated.
    ///
    /// # Panics
    /// If the axis or an index is out of range.
    #[track_caller]
    pub fn index_select(&self, axis: impl AxisIndex, indices: &[usize]) -> Self {
        self.select_rows(&Rows::along("index_select", self.shape(), axis.index(), indices, &[indices.len()]))
    }

    /// A copy with `source` added along an axis: row k of the source is added to row `indices[k]`.
    ///
    /// # Panics
    /// If the axis or an index is out of range, or the source does not have this shape with as many rows as indices.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x: Tensor = Tensor::ones([3]);
    /// assert_eq!(x.index_add(0, &[2, 0, 2], &tensor![1.0, 2.0, 3.0]), tensor![3.0, 1.0, 5.0]);
    /// ```
    #[doc(alias = "index_add_")]
    #[track_caller]
    pub fn index_add(&self, axis: impl AxisIndex, indices: &[usize], source: &Self) -> Self {
        let rows = Rows::along("index_add", self.shape(), axis.index(), indices, &[indices.len()]);
        panics::defined("index_add", source_of(&rows.out_shape, source.shape()));
        self + source.scatter_rows(&rows)
    }

    /// A copy with `source` added at the positions that [`gather`](Tensor::gather) would read: `y[i, indices[i, j]] += source[i, j]`
    /// for axis 1.
    ///
    /// # Panics
    /// As `gather`, and if the source does not have the shape of the indices.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let counts: Tensor = Tensor::zeros([3]).scatter_add(0, [2, 0, 2], &Tensor::ones([3]));
    /// assert_eq!(counts, tensor![1.0, 0.0, 2.0]);
    /// ```
    #[doc(alias = "scatter_add_")]
    #[track_caller]
    pub fn scatter_add(&self, axis: impl AxisIndex, indices: impl Into<Indices>, source: &Self) -> Self {
        let positions = Positions::along("scatter_add", self.shape(), axis.index(), &indices.into());
        panics::defined("scatter_add", source_of(&positions.out_shape, source.shape()));
        let mut y = self.clone();
        y.add_to_part(&positions.view_of(self.shape()), &source.scatter_positions(&positions));
        y
    }

    /// Picks one element along an axis for each of the [`Indices`]; on the other axes, its position is that of the index.
    ///
    /// # Panics
    /// If the axis or an index is out of range, the numbers of axes differ, or the indices are longer on another axis.
    #[track_caller]
    pub fn gather(&self, axis: impl AxisIndex, indices: impl Into<Indices>) -> Self {
        let positions = Positions::along("gather", self.shape(), axis.index(), &indices.into());
        self.slice_by(&positions.view_of(self.shape())).gather_positions(&positions)
    }

    /// The elements, or rows, at indices of the leading axes, given as one array per axis, which broadcast; numpy's `x[i, j]`.
    ///
    /// # Panics
    /// If there are more arrays than axes, they do not broadcast, or an index is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.index(&[[0, 1].into(), [1, 0].into()]), tensor![2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn index(&self, indices: &[Indices]) -> Self {
        self.select_rows(&Rows::of_leading_axes(self.shape(), indices))
    }

    /// The rows at the given indices.
    #[inline(never)]
    pub(crate) fn select_rows(&self, rows: &Rows) -> Self {
        Tensor::build(rows.out_shape.clone(), |y| {
            lookup::index_select(self.as_slice(), &rows.indices, rows.n, rows.inner, y)
        })
    }

    /// Zeros to which these rows are added at the given indices: the adjoint of `select_rows`.
    #[inline(never)]
    pub(crate) fn scatter_rows(&self, rows: &Rows) -> Self {
        let mut y = Tensor::zeros(rows.in_shape.as_slice());
        lookup::index_add(self.as_slice(), &rows.indices, rows.n, rows.inner, y.as_mut_slice());
        y
    }

    /// The elements at the given positions.
    #[inline(never)]
    pub(crate) fn gather_positions(&self, at: &Positions) -> Self {
        Tensor::build(at.out_shape.clone(), |y| lookup::take(self.as_slice(), &at.indices, at.n, at.inner, y))
    }

    /// Zeros to which these elements are added at the given positions: the adjoint of `gather_positions`.
    #[inline(never)]
    pub(crate) fn scatter_positions(&self, at: &Positions) -> Self {
        Tensor::build(at.in_shape.clone(), |y| lookup::put(self.as_slice(), &at.indices, at.n, at.inner, y))
    }
}
