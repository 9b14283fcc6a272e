//! Slices and their adjoint, placement among zeros: the rule of each is the other.

use crate::autograd::{Op, Save, Saved, Var};
use crate::panics;
use crate::tensor::{AxisIndex, Dims, Float, Tensor, View, resolve_axis};
use std::ops::{Bound, RangeBounds};

/// Part of a value, with a step for each axis.
struct Slice {
    view: View,
    from: Dims,
}
debug_by_shape!(Slice, Place);

impl<T: Float> Op<T, 1> for Slice {
    const NAME: &'static str = "slice";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.gather(&self.view)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.apply(Place { view: self.view.clone(), shape: self.from.clone() }))]
    }
}

/// A value among zeros, at the places of a slice.
struct Place {
    view: View,
    shape: Dims,
}

impl<T: Float> Op<T, 1> for Place {
    const NAME: &'static str = "place";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.scatter(&self.view, &self.shape)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.apply(Slice { view: self.view.clone(), from: self.shape.clone() }))]
    }
}

impl<T: Float> Var<T> {
    /// The positions of one axis that a range names, as Python slices do: negative positions count from the end, and
    /// what is out of range is cut off.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice(1, 1..).value(), &tensor![[2.0, 3.0], [5.0, 6.0]]);
    /// assert_eq!(x.slice(1, ..-1).value(), &tensor![[1.0, 2.0], [4.0, 5.0]]);
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: impl AxisIndex, range: impl RangeBounds<isize>) -> Var<T> {
        self.slice_step(axis, range, 1)
    }

    /// Every `step`-th position of a range of one axis; with a negative step from the end of the range to its start.
    ///
    /// # Panics
    /// If the axis is out of range, or the step is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([0.0, 1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.slice_step(0, .., 2).value(), &tensor![0.0, 2.0, 4.0]);
    /// assert_eq!(x.slice_step(0, .., -2).value(), &tensor![4.0, 2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn slice_step(&self, axis: impl AxisIndex, range: impl RangeBounds<isize>, step: isize) -> Var<T> {
        let shape = self.shape();
        let axis = resolve_axis("slice", axis.index(), shape);
        if step == 0 {
            panics::slice_step(shape);
        }
        let n = shape[axis] as isize;
        let position = |k: isize| (if k < 0 { k + n } else { k }).clamp(0, n);
        let start = match range.start_bound() {
            Bound::Included(&k) => position(k),
            Bound::Excluded(&k) => position(k) + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&k) => (position(k) + 1).min(n),
            Bound::Excluded(&k) => position(k),
            Bound::Unbounded => n,
        };
        let length = (end - start).max(0) as usize;
        let count = length.div_ceil(step.unsigned_abs());
        let mut view = View::contiguous(shape);
        let first = if step > 0 { start } else { end - 1 };
        if count > 0 {
            view.offset = (first * view.strides[axis]) as usize;
        }
        view.strides[axis] *= step;
        view.shape[axis] = count;
        self.apply(Slice { view, from: self.value().dims() })
    }
}
