//! Operations that only change the shape or the order of the axes.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{
    Axes, AxisIndex, Dims, Float, IntoShape, Tensor, permutation, reduction_of, resolve_axis, resolve_shape, same,
};

/// The same elements in another shape; the gradient goes back to the shape it came from.
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

/// The axes in another order; the gradient takes the inverse order.
pub(crate) struct Permute {
    axes: Dims,
}

impl<T: Float> Op<T, 1> for Permute {
    const NAME: &'static str = "permute";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("axes", &self.axes);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.permuted(&self.axes)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let mut inverse = self.axes.clone();
        self.axes.iter().enumerate().for_each(|(k, &axis)| inverse[axis] = k);
        [Some(gy.permute_by(inverse))]
    }
}

/// A circular shift along an axis; the gradient shifts back.
pub(crate) struct Roll {
    shift: isize,
    axis: usize,
}

impl<T: Float> Op<T, 1> for Roll {
    const NAME: &'static str = "roll";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("shift", &self.shift).field("axis", &self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.rolled(self.shift, self.axis)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(Roll { shift: -self.shift, axis: self.axis }.of([gy]))]
    }
}

functions! {
    /// The axes from `start` to `end`, both included, as one; `flatten(1, -1)` makes rows of images. A scalar becomes `[1]`.
    ///
    /// # Panics
    /// If an axis is out of range, or `end` comes before `start`.
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

    /// Without the axes of size 1.
    fn squeeze(x) = x.with_shape(x.shape().iter().copied().filter(|&n| n != 1).collect());

    /// Without one or several axes of size 1. An axis of another size is a mistake here; PyTorch leaves it.
    ///
    /// # Panics
    /// If an axis is out of range or named twice, or its size is not 1.
    fn squeeze_axis(x, axes: impl Axes) = {
        let reduction = reduction_of("squeeze", x.shape(), &axes);
        if let Some(&axis) = reduction.axes.iter().find(|&&axis| x.shape()[axis] != 1) {
            panics::not_removable(axis, x.shape());
        }
        x.with_shape(reduction.shape)
    };

    /// With a new axis of size 1 at the given position; −1 puts it last.
    ///
    /// # Panics
    /// If the position is out of range.
    fn unsqueeze(x, axis: impl AxisIndex) = {
        let mut shape = Dims::from_slice(x.shape());
        shape.push(1);
        let axis = resolve_axis("unsqueeze", axis.index(), &shape);
        shape[axis..].rotate_right(1);
        x.with_shape(shape)
    };
}

impl<T: Float> Var<T> {
    /// The same elements in another shape; one entry may be −1. Nothing is copied.
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
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoShape) -> Var<T> {
        self.with_shape(resolve_shape("reshape", shape, Some((self.value().len(), self.shape()))))
    }

    /// The same elements in a shape that is known to have as many.
    #[track_caller]
    pub(crate) fn with_shape(&self, shape: Dims) -> Var<T> {
        if same(self.shape(), &shape) {
            return self.clone();
        }
        Reshape { shape, from: self.value().dims() }.of([self])
    }

    /// Two axes exchanged.
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    pub fn transpose(&self, a: impl AxisIndex, b: impl AxisIndex) -> Var<T> {
        let shape = self.shape();
        let (a, b) = (resolve_axis("transpose", a.index(), shape), resolve_axis("transpose", b.index(), shape));
        let mut axes: Dims = (0..shape.len()).collect();
        axes.swap(a, b);
        self.permute_by(axes)
    }

    /// The axes in another order: axis `k` of the result is axis `axes[k]` of this.
    ///
    /// # Panics
    /// If `axes` does not name each axis once.
    #[track_caller]
    pub fn permute(&self, axes: impl IntoShape) -> Var<T> {
        self.permute_by(permutation(&axes.entries(), self.shape()))
    }

    /// Shifted along an axis; what leaves at the end comes in at the start. A negative shift goes the other way.
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
