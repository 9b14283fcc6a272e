//! Changing the shape: reshape shares the elements, everything else copies them into their new order.

use super::shape::resolve_axes;
use super::{AxisIndex, Dims, Float, IntoShape, Tensor, View, broadcast, resolve_axis, resolve_shape};
use crate::kernel::strided;
use crate::panics;

impl<T: Float> Tensor<T> {
    /// The same elements in another shape; one entry may be −1.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoShape) -> Self {
        self.with_shape(resolve_shape("reshape", shape, Some((self.len(), self.shape()))))
    }

    /// The same elements in a shape of the same number of elements.
    pub(crate) fn with_shape(&self, shape: Dims) -> Self {
        Tensor { shape, buffer: self.buffer.clone() }
    }

    /// The axes in another order: axis `k` of the result is axis `axes[k]` of this.
    ///
    /// # Panics
    /// If `axes` does not name each axis once.
    #[track_caller]
    pub fn permute(&self, axes: impl IntoShape) -> Self {
        self.permuted(&permutation(&axes.entries(), self.shape()))
    }

    /// [`permute`](Tensor::permute) by axes that are known to be a permutation.
    pub(crate) fn permuted(&self, axes: &[usize]) -> Self {
        let mut view = View::contiguous(self.shape());
        view.strides = axes.iter().map(|&k| view.strides[k]).collect();
        view.shape = axes.iter().map(|&k| self.shape[k]).collect();
        self.viewed(&view)
    }

    /// Two axes exchanged.
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
        self.permuted(&axes)
    }

    /// Repeated along axes of size 1, and along new axes in front, to the given shape; −1 keeps an axis.
    ///
    /// # Panics
    /// If the shape does not broadcast to it.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Self {
        self.expanded(&broadcast_target(self.shape(), &shape.entries()))
    }

    /// [`broadcast_to`](Tensor::broadcast_to) a shape that this is known to broadcast to.
    pub(crate) fn expanded(&self, shape: &[usize]) -> Self {
        if shape == self.shape() {
            return self.clone();
        }
        let mut view = View::contiguous(self.shape());
        let new = shape.len() - self.rank();
        let stride = |axis: usize| match axis.checked_sub(new) {
            Some(own) if self.shape[own] != 1 => view.strides[own],
            _ => 0,
        };
        view.strides = (0..shape.len()).map(stride).collect();
        view.shape = Dims::from_slice(shape);
        self.viewed(&view)
    }

    /// The elements that a view of this tensor's memory names.
    pub(crate) fn viewed(&self, view: &View) -> Self {
        Tensor::build(view.shape.clone(), |y| strided::gather(self.as_slice(), view, y))
    }

    /// These elements at the places of a view of the given shape, and a number everywhere else.
    pub(crate) fn placed(&self, view: &View, shape: &[usize], value: f64) -> Self {
        let mut y = if value == 0.0 { Tensor::zeros(shape) } else { Tensor::full(shape, value) };
        strided::scatter(self.as_slice(), view, y.as_mut_slice());
        y
    }

    /// The rows at the given positions of the first axis: `[indices.len(), …]`.
    ///
    /// # Panics
    /// If there is no axis, or an index is out of range.
    #[track_caller]
    pub fn rows(&self, indices: &[usize]) -> Self {
        let [n, rest @ ..] = self.shape() else { panics::axis_out_of_range("rows", 0, self.shape()) };
        if let Some(&row) = indices.iter().find(|&row| row >= n) {
            panics::row_out_of_range(row, self.shape());
        }
        let size: usize = rest.iter().product();
        let shape = std::iter::once(indices.len()).chain(rest.iter().copied()).collect();
        Tensor::build(shape, |y| {
            for (y, row) in y.chunks_exact_mut(size.max(1)).zip(indices) {
                y.copy_from_slice(&self.as_slice()[row * size..(row + 1) * size]);
            }
        })
    }
}

/// The axes that a permutation names, each once.
#[track_caller]
pub(crate) fn permutation(axes: &[isize], shape: &[usize]) -> Dims {
    if axes.len() != shape.len() {
        panics::not_a_permutation(axes, shape);
    }
    let resolved = resolve_axes("permute", axes, shape);
    if (0..shape.len()).any(|k| !resolved.contains(&k)) {
        panics::not_a_permutation(axes, shape);
    }
    resolved
}

/// The shape that `entries` ask to broadcast `shape` to, −1 standing for the size that is there.
#[track_caller]
pub(crate) fn broadcast_target(shape: &[usize], entries: &[isize]) -> Dims {
    let new = entries.len().checked_sub(shape.len());
    let size = |(axis, &d): (usize, &isize)| match (d, axis.checked_sub(new?)) {
        (-1, Some(own)) => Some(shape[own]),
        (d, _) => usize::try_from(d).ok(),
    };
    match entries.iter().enumerate().map(size).collect::<Option<Dims>>() {
        Some(target) if broadcast(shape, &target).as_ref() == Some(&target) => target,
        _ => panics::does_not_broadcast_to("broadcast_to", shape, &entries),
    }
}
