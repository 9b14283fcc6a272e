//! Lookup of elements and rows by index.

use super::{AxisIndex, Dims, Float, Indices, Tensor, View, broadcast, checked_shape, element_count, resolve_axis};
use crate::kernel::lookup;
use crate::panics;
use std::rc::Rc;

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

/// For each element of a result, its position in the row-major order of a value.
#[derive(Clone)]
pub(crate) struct Positions {
    pub(crate) positions: Rc<[usize]>,
    /// The shape of the result.
    pub(crate) out_shape: Dims,
    /// The shape of the value that is indexed.
    pub(crate) in_shape: Dims,
}

impl Positions {
    /// The position of each index along an axis; on the other axes it is the position of the index itself.
    #[track_caller]
    pub(crate) fn along(op: &str, shape: &[usize], axis: i128, indices: &Indices) -> Self {
        let axis = resolve_axis(op, axis, shape);
        let fits = |k: usize| k == axis || indices.shape()[k] <= shape[k];
        if indices.shape().len() != shape.len() || !(0..shape.len()).all(fits) {
            panics::index_shape(op, indices.shape(), axis, shape);
        }
        if let Some(&index) = indices.as_slice().iter().find(|&&index| index >= shape[axis]) {
            panics::selection_out_of_range(op, index as i128, axis, shape);
        }
        let mut view = View::contiguous(shape);
        let step = std::mem::take(&mut view.strides[axis]) as usize;
        view.shape = Dims::from_slice(indices.shape());
        let (mut positions, mut next) = (Vec::with_capacity(indices.as_slice().len()), indices.as_slice().iter());
        view.for_each(|at| positions.extend(next.next().map(|index| at + index * step)));
        Positions { positions: positions.into(), out_shape: view.shape, in_shape: Dims::from_slice(shape) }
    }
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

    /// Picks one element along an axis for each of the [`Indices`]; on the other axes, its position is that of the index.
    ///
    /// # Panics
    /// If the axis or an index is out of range, the numbers of axes differ, or the indices are longer on another axis.
    #[track_caller]
    pub fn gather(&self, axis: impl AxisIndex, indices: impl Into<Indices>) -> Self {
        self.gather_positions(&Positions::along("gather", self.shape(), axis.index(), &indices.into()))
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
        let x = self.as_slice();
        Tensor::build(at.out_shape.clone(), |y| y.iter_mut().zip(&*at.positions).for_each(|(y, &at)| *y = x[at]))
    }

    /// Zeros to which these elements are added at the given positions: the adjoint of `gather_positions`.
    #[inline(never)]
    pub(crate) fn scatter_positions(&self, at: &Positions) -> Self {
        let mut y = Tensor::zeros(at.in_shape.as_slice());
        let elements = y.as_mut_slice();
        lookup::index_add(self.as_slice(), &at.positions, elements.len(), 1, elements);
        y
    }
}
