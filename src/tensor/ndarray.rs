//! Conversions from and into arrays of the `ndarray` crate, the feature `ndarray`.

use super::{Float, Tensor};
use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, ArrayViewMutD, Dimension, IxDyn};

/// The elements of an array. Those of one in standard layout are not copied; a transposed or sliced one is put in order.
///
/// ```
/// use ndarray::array;
/// use wengert::prelude::*;
///
/// let a = array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(Tensor::from(a.t()), tensor![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
/// assert_eq!(Tensor::from(a).shape(), [2, 3]);
/// ```
impl<T: Float, D: Dimension> From<Array<T, D>> for Tensor<T> {
    fn from(array: Array<T, D>) -> Self {
        if !array.is_standard_layout() {
            return Tensor::from(array.view());
        }
        let (shape, length) = (array.shape().to_vec(), array.len());
        match array.into_raw_vec_and_offset() {
            (elements, None | Some(0)) if elements.len() == length => Tensor::from_vec(elements, shape),
            // A part of a larger array, whose other elements the vector still has.
            (elements, offset) => {
                let first = offset.unwrap_or(0);
                Tensor::from_slice(&elements[first..first + length], shape)
            }
        }
    }
}

/// The elements of a view, copied in row-major order.
impl<T: Float, D: Dimension> From<ArrayView<'_, T, D>> for Tensor<T> {
    fn from(array: ArrayView<T, D>) -> Self {
        match array.as_slice() {
            Some(elements) => Tensor::from_slice(elements, array.shape()),
            None => Tensor::from_vec(array.iter().copied().collect(), array.shape()),
        }
    }
}

/// The elements of an array, copied in row-major order.
impl<T: Float, D: Dimension> From<&Array<T, D>> for Tensor<T> {
    fn from(array: &Array<T, D>) -> Self {
        Tensor::from(array.view())
    }
}

/// A view of the elements, which are not copied.
///
/// ```
/// use ndarray::ArrayViewD;
/// use wengert::prelude::*;
///
/// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
/// let view = ArrayViewD::from(&x);
/// assert_eq!((view[[1, 0]], view.as_ptr()), (3.0, x.as_slice().as_ptr()));
/// ```
impl<'a, T: Float> From<&'a Tensor<T>> for ArrayViewD<'a, T> {
    fn from(tensor: &'a Tensor<T>) -> Self {
        ArrayView::from_shape(IxDyn(tensor.shape()), tensor.as_slice()).expect("a tensor has as many as its shape says")
    }
}

/// A view through which the elements can be changed; they are copied first if another tensor shares them.
impl<'a, T: Float> From<&'a mut Tensor<T>> for ArrayViewMutD<'a, T> {
    fn from(tensor: &'a mut Tensor<T>) -> Self {
        let shape = IxDyn(tensor.shape());
        ArrayViewMutD::from_shape(shape, tensor.as_mut_slice()).expect("a tensor has as many as its shape says")
    }
}

/// The elements, copied, since the tensor's memory is reused for the next tensor.
impl<T: Float> From<&Tensor<T>> for ArrayD<T> {
    fn from(tensor: &Tensor<T>) -> Self {
        ArrayViewD::from(tensor).to_owned()
    }
}

/// The elements, copied, since the tensor's memory is reused for the next tensor.
impl<T: Float> From<Tensor<T>> for ArrayD<T> {
    fn from(tensor: Tensor<T>) -> Self {
        ArrayD::from(&tensor)
    }
}
