//! Plain n-dimensional values: shape, buffer, constructors, indexing, display. No gradient in sight.

mod arithmetic;
mod buffer;
mod construct;
mod display;
mod index;
mod indices;
mod lookup;
mod matmul;
mod pad;
mod parts;
mod reduce;
mod scan;
mod shape;
mod transform;
mod view;

use buffer::Buffer;
pub use construct::Nested;
pub use indices::Indices;
pub(crate) use lookup::{Positions, Rows};
pub(crate) use matmul::{MatmulShapes, Offsets};
pub use pad::PadMode;
pub(crate) use pad::{padded, padding};
pub(crate) use parts::{joins, stack_axis, stacks};
pub(crate) use scan::scan_axis;
pub use shape::{Axes, AxisIndex, AxisList, IntoShape, keepdim};
pub(crate) use shape::{Reduction, broadcast, element_count, reduction_of, resolve_axis, resolve_shape, same, sums_to};
pub(crate) use transform::{broadcast_target, interleaving, matrix_columns, permutation, tiling};
pub(crate) use view::{chunks, pieces, pieces_of_sizes};

pub use crate::kernel::Float;
pub(crate) use crate::kernel::base::dims::Dims;
pub(crate) use crate::kernel::strided::View;

/// An n-dimensional array of `f32` (the default) or `f64`, contiguous and row-major.
///
/// Cloning a tensor is cheap, the elements are shared; writing to a shared one copies it first. So is taking rows that
/// follow each other, `x.slice(0, 2..5)`. The memory of a tensor that nobody holds any more is kept for the next one of its size.
///
/// ```
/// use wengert::prelude::*;
///
/// let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(x.shape(), [2, 3]);
/// assert_eq!(x[[1, 2]], 6.0);
/// assert_eq!((&x * 2.0 + 1.0).sum(), Tensor::scalar(48.0));
/// ```
#[derive(Clone)]
pub struct Tensor<T: Float = f32> {
    shape: Dims,
    buffer: Buffer<T>,
}

impl<T: Float> Tensor<T> {
    /// A tensor whose elements are written by `fill`, which finds arbitrary values in its slice and must write each.
    pub(crate) fn build(shape: Dims, fill: impl FnOnce(&mut [T])) -> Self {
        let mut tensor = Tensor::unwritten(shape);
        fill(tensor.buffer.get_mut());
        tensor
    }

    /// A tensor of arbitrary values, for [`build`](Tensor::build). Compiled once for all closures.
    #[inline(never)]
    fn unwritten(shape: Dims) -> Self {
        Tensor { buffer: Buffer::uninitialised(element_count(&shape)), shape }
    }

    /// The sizes of the axes; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of axes: 0 for a scalar, 1 for a vector, 2 for a matrix.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements, the product of the shape.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether an axis has size 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[T] {
        self.buffer.get()
    }

    /// The elements for writing; copies them first if another tensor shares them.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.buffer.get_mut()
    }

    /// The elements in row-major order, copied.
    pub fn to_vec(&self) -> Vec<T> {
        self.as_slice().to_vec()
    }

    /// The value of a tensor of one element.
    ///
    /// # Panics
    /// If there is more than one element, or none.
    #[track_caller]
    pub fn item(&self) -> T {
        match self.as_slice() {
            [x] => *x,
            _ => crate::panics::not_one_element("item", &self.shape),
        }
    }

    pub(crate) fn dims(&self) -> Dims {
        self.shape.clone()
    }
}

/// Equal shapes and equal elements; as everywhere, NaN equals nothing.
impl<T: Float> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}
