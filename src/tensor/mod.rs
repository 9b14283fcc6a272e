//! Plain n-dimensional arrays without gradients: shape, buffer, constructors, indexing, display.

mod arithmetic;
mod buffer;
mod construct;
mod display;
mod index;
mod indices;
mod labels;
mod lookup;
mod matmul;
#[cfg(feature = "ndarray")]
mod ndarray;
mod number;
mod pad;
mod parts;
mod reduce;
mod scan;
mod shape;
mod sort;
mod sparse_rows;
mod transform;
mod view;

use crate::generator::Generator;
use buffer::Buffer;
pub use construct::Nested;
pub use indices::Indices;
pub use labels::{Label, Labels};
pub(crate) use labels::{all_classes_of, class_axis, classes_of};
pub(crate) use lookup::{Positions, Rows, source_of};
pub(crate) use matmul::{MatmulShapes, Offsets, length_of_vectors, lengths_of_vectors};
pub use number::Number;
pub use pad::PadMode;
pub(crate) use pad::{padded, padding};
pub(crate) use parts::{joins, stacks};
pub(crate) use scan::scan_axis;
pub use shape::{Axes, AxisIndex, AxisList, AxisRange, IntoShape, keepdim};
pub(crate) use shape::{
    Reduction, broadcast, broadcast_shapes, check_shape, checked_shape, element_count, reduction_of, resolve_axis,
    resolve_new_axis, resolve_shape, same, sums_to,
};
pub use sparse_rows::SparseRows;
use std::hint::black_box;
pub(crate) use transform::{broadcast_target, interleaving, matrix_columns, permutation, tiling};
pub(crate) use view::{chunks, pieces, pieces_of_sizes};

pub use crate::kernel::Float;
pub(crate) use crate::kernel::base::dims::{Dims, MAX_RANK, count};
pub(crate) use crate::kernel::strided::View;

/// An n-dimensional array of `f32` (the default) or `f64`, contiguous and row-major.
///
/// Cloning a tensor is cheap: the elements are shared, and copied on the first write. Consecutive rows, `x.slice(0, 2..5)`, are
/// shared in the same way. The memory of a dropped tensor is reused for the next one of its size.
///
/// Operators accept tensors, whose shapes broadcast, and numbers: of any type on the right, `f64` and `i32` on the left.
/// Elementwise functions, statistics and softmax have the same names and meaning as on a [`Var`](crate::Var).
///
/// If nothing else determines the precision of a constructed tensor, annotate its type: `let x: Tensor = Tensor::zeros([2])`.
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
#[must_use = "operations leave a tensor as it is and return a new one"]
pub struct Tensor<T: Float = f32> {
    shape: Dims,
    buffer: Buffer<T>,
}

impl<T: Float> Tensor<T> {
    /// A tensor whose elements are written by `fill`; its slice has arbitrary values, each of which it must overwrite.
    #[track_caller]
    #[inline]
    pub(crate) fn build(shape: Dims, fill: impl FnOnce(&mut [T])) -> Self {
        let mut tensor = Tensor::unfilled(shape);
        fill(tensor.buffer.get_mut());
        tensor
    }

    /// Elements with arbitrary values. Compiled once, where [`build`](Tensor::build) is compiled for each closure.
    #[track_caller]
    #[inline(never)]
    fn unfilled(shape: Dims) -> Self {
        Tensor { buffer: Buffer::uninitialized(element_count(&shape)), shape }
    }

    /// A tensor of the same shape, which has one element.
    #[inline]
    fn with_element(&self, element: T) -> Self {
        Tensor { shape: self.dims(), buffer: Buffer::One([element]) }
    }

    /// The sizes of the axes; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of axes: 0 for a scalar, 1 for a vector, 2 for a matrix.
    #[doc(alias("ndim", "dim"))]
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements, the product of the shape.
    #[doc(alias = "size")]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether there are no elements, because an axis has size 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[T] {
        self.buffer.get()
    }

    /// The elements, mutably; copies them first if another tensor shares them.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.buffer.get_mut()
    }

    /// The elements in row-major order, copied.
    #[doc(alias = "tolist")]
    pub fn to_vec(&self) -> Vec<T> {
        self.as_slice().to_vec()
    }

    /// The elements in row-major order as a [`Vec`]. They are copied, since the tensor's memory is reused for the next tensor.
    pub fn into_vec(self) -> Vec<T> {
        self.to_vec()
    }

    /// Iterates over the elements in row-major order, whatever the shape.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = tensor![[1.0, -2.0], [3.0, 4.0]];
    /// assert_eq!(x.iter().filter(|&&x| x > 0.0).count(), 3);
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.as_slice().iter()
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

/// Equal shapes and equal elements; NaN equals nothing, as in IEEE 754.
impl<T: Float> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}

/// Iterates over the elements in row-major order; see [`Tensor::iter`].
impl<'a, T: Float> IntoIterator for &'a Tensor<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Instantiates for an element type the methods that programs call on plain tensors and no operation uses.
pub(crate) fn instantiate<T: Float>() {
    let rng = &mut Generator::from_state([1; 4]);
    let mut x = Tensor::<T>::uniform([2, 2], 0.0, 1.0, rng);
    x += &Tensor::randn([2, 2], rng);
    x -= &Tensor::linspace(0.0, 1.0, 2);
    x *= &Tensor::eye(2);
    x /= &Tensor::arange(1.0, 3.0, 1.0);
    x += 1.0;
    x -= 1.0;
    x *= 1.0;
    x /= 1.0;
    x = Tensor::concat(&[x.rows(&[0]), x.prod_over(0), x.cumprod(0), x.matmul(&x), Tensor::from([[1.0, 2.0]])], 0);
    _ = black_box((x.argmax(0), x.argmin(0), x.cast::<f32>(), x.cast::<f64>(), x.split(1, 0), x.tril(0), x.triu(0)));
    _ = black_box(x.order_along("topk", 0, Some(1), true));
    _ = black_box((1.0 - x).to_string());
}
