//! Reshaping, and reordering of axes and elements.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{
    Axes, AxisIndex, Dims, Float, IntoShape, Tensor, checked_shape, permutation, reduction_of, resolve_axis,
    resolve_new_axis, resolve_shape, same,
};

/// The same elements in another shape; the gradient is reshaped back.
pub(crate) struct Reshape {
    shape: Dims,
    from: Dims,
}

impl<T: Float> Op<T, 1> for Reshape {
    const NAME: &'static str = "reshape";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("shape", &self.shape).field("from", &self.from);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.with_shape(self.shape.clone())
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.with_shape(self.from.clone()))]
    }
}

/// The axes in another order; the gradient is permuted by the inverse.
pub(crate) struct Permute {
    axes: Dims,
}

impl<T: Float> Op<T, 1> for Permute {
    const NAME: &'static str = "permute";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.integers("axes", &self.axes);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.permute_axes(&self.axes)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let mut inverse = self.axes.clone();
        self.axes.iter().enumerate().for_each(|(k, &axis)| inverse[axis] = k);
        [Some(gy.permute_by(inverse))]
    }
}

/// A circular shift along an axis; the gradient is shifted back.
pub(crate) struct Roll {
    shift: isize,
    axis: usize,
}

impl<T: Float> Op<T, 1> for Roll {
    const NAME: &'static str = "roll";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.signed("shift", self.shift).integer("axis", self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.roll_axis(self.shift, self.axis)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        // The remainder, because the least number has no negative.
        let n = gy.shape()[self.axis].max(1) as isize;
        [Some(Roll { shift: -(self.shift % n), axis: self.axis }.of([gy]))]
    }
}

functions! {
    /// Merges the axes from `start` to `end`, inclusive; `flatten(1, -1)` turns images into rows. A scalar becomes `[1]`.
    ///
    /// # Panics
    /// If an axis is out of range, or `end` is before `start`.
    #[doc(alias = "ravel")]
    fn flatten(x, start: impl AxisIndex, end: impl AxisIndex) = {
        let shape = x.shape();
        if shape.is_empty() {
            return x.with_shape(Dims::from_slice(&[1]));
        }
        let (start, end) = (resolve_axis("flatten", start.index(), shape), resolve_axis("flatten", end.index(), shape));
        if start > end {
            panics::axes_out_of_order(start, end, shape);
        }
        let merged: usize = shape[start..=end].iter().product();
        x.with_shape(shape[..start].iter().copied().chain([merged]).chain(shape[end + 1..].iter().copied()).collect())
    };

    /// Removes all axes of size 1.
    fn squeeze(x) = x.with_shape(x.shape().iter().copied().filter(|&n| n != 1).collect());

    /// Removes the given axes, which must have size 1 (PyTorch ignores axes of other sizes).
    ///
    /// # Panics
    /// If an axis is out of range, given twice, or its size is not 1.
    fn squeeze_axis(x, axes: impl Axes) = {
        let reduction = reduction_of("squeeze", x.shape(), &axes);
        if let Some(&axis) = reduction.axes.iter().find(|&&axis| x.shape()[axis] != 1) {
            panics::not_removable(axis, x.shape());
        }
        x.with_shape(reduction.shape)
    };

    /// Inserts an axis of size 1 at the given position; −1 makes it the last.
    ///
    /// # Panics
    /// If the position is out of range, or there are 64 axes already.
    #[doc(alias = "expand_dims")]
    #[doc(alias = "insert_axis")]
    fn unsqueeze(x, axis: impl AxisIndex) = {
        let (before, after) = x.shape().split_at(resolve_new_axis("unsqueeze", axis.index(), x.shape()));
        let shape = before.iter().copied().chain([1]).chain(after.iter().copied()).collect();
        x.with_shape(checked_shape("unsqueeze", shape))
    };
}

impl<T: Float> Var<T> {
    /// Changes the shape, without copying; one size may be −1 and is inferred.
    ///
    /// # Panics
    /// If the number of elements differs.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant(Tensor::zeros([2, 3, 4]));
    /// assert_eq!(x.reshape([2, -1]).shape(), [2, 12]);
    /// ```
    #[doc(alias = "view")]
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoShape) -> Var<T> {
        self.with_shape(resolve_shape("reshape", shape, Some((self.value().len(), self.shape()))))
    }

    /// [`reshape`](Var::reshape) to a shape that is known to have the same number of elements.
    #[track_caller]
    pub(crate) fn with_shape(&self, shape: Dims) -> Var<T> {
        if same(self.shape(), &shape) {
            return self.clone();
        }
        Reshape { shape, from: self.value().dims() }.of([self])
    }

    /// Swaps two axes; `transpose(-1, -2)` transposes matrices.
    ///
    /// # Panics
    /// If an axis is out of range.
    #[doc(alias = "t")]
    #[doc(alias = "swapaxes")]
    #[doc(alias = "swapdims")]
    #[track_caller]
    pub fn transpose(&self, a: impl AxisIndex, b: impl AxisIndex) -> Var<T> {
        let shape = self.shape();
        let (a, b) = (resolve_axis("transpose", a.index(), shape), resolve_axis("transpose", b.index(), shape));
        let mut axes: Dims = (0..shape.len()).collect();
        axes.swap(a, b);
        self.permute_by(axes)
    }

    /// Reorders the axes: axis k of the result is axis `axes[k]` of this.
    ///
    /// # Panics
    /// If `axes` is not a permutation of the axes.
    #[doc(alias = "movedim")]
    #[doc(alias = "moveaxis")]
    #[track_caller]
    pub fn permute(&self, axes: impl IntoShape) -> Var<T> {
        self.permute_by(permutation(&axes.entries(), self.shape()))
    }

    /// Shifts the elements along an axis, circularly: elements shifted beyond the end reappear at the start.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([1.0, 2.0, 3.0]);
    /// assert_eq!(x.roll(1, 0).value(), &tensor![3.0, 1.0, 2.0]);
    /// assert_eq!(x.roll(-1, 0).value(), &tensor![2.0, 3.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: impl AxisIndex) -> Var<T> {
        Roll { shift, axis: resolve_axis("roll", axis.index(), self.shape()) }.of([self])
    }

    /// [`permute`](Var::permute) by axes that are known to be a permutation.
    #[track_caller]
    pub(crate) fn permute_by(&self, axes: Dims) -> Var<T> {
        Permute { axes }.of([self])
    }
}
