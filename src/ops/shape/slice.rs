//! Slicing and its adjoint, padding: each is the other's rule.

use crate::autograd::apply::{AnyOp, InputGradients, apply_any};
use crate::autograd::op::BackwardContext;
use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::ops::registry::Registered;
use crate::tensor::{Axes, AxisIndex, AxisRange, Dims, Float, PadMode, Tensor, View};
use crate::tensor::{chunks, padded, padding, pieces, pieces_of_sizes, resolve_axis};
use std::ops::Range;

/// The elements of a strided view, which visits none of them twice.
pub(crate) struct Slice {
    view: View,
    from: Dims,
}

impl<T: Float> AnyOp<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn save(&self) -> Save {
        Save::Nothing
    }

    fn describe(&self, description: &mut Description) {
        describe(&self.view, description);
    }

    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        Ok(inputs[0].slice_by(&self.view))
    }
    fn backward(&self, _: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        gradients.push(Some(gy.pad_by(self.view.clone(), self.from.clone(), 0.0)));
    }
    fn part(&self) -> Option<&View> {
        Some(&self.view)
    }
}

/// A value at the positions of a view, and a fill value elsewhere.
pub(crate) struct Pad {
    view: View,
    shape: Dims,
    value: f64,
}

impl<T: Float> Op<T, 1> for Pad {
    const NAME: &'static str = "pad";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        describe(&self.view, description);
        match self.value {
            0.0 => description.data("value", Setting::Number(0.0)),
            value => description.number("value", value),
        };
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.pad_by(&self.view, &self.shape, self.value)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.slice_by(self.view.clone()))]
    }
}

/// Adds where the elements of a view are.
fn describe(view: &View, description: &mut Description) {
    description.data("offset", Setting::Integers(vec![view.offset]));
    description.data("strides", Setting::Signed(view.strides.to_vec()));
}

impl<T: Float> Var<T> {
    /// A range of an axis, as a Python slice: negative bounds count from the end, and bounds out of range are clipped.
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
    #[doc(alias("__getitem__", "get_item"))]
    #[doc(alias = "narrow")]
    #[track_caller]
    pub fn slice(&self, axis: impl AxisIndex, range: impl AxisRange) -> Var<T> {
        self.slice_step(axis, range, 1)
    }

    /// Every `step`-th element of a range of an axis; a negative step runs from the end of the range to its start.
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
    pub fn slice_step(&self, axis: impl AxisIndex, range: impl AxisRange, step: isize) -> Var<T> {
        self.slice_by(View::slice(self.shape(), axis.index(), range, step))
    }

    /// Selects one index of an axis and removes the axis; −1 is the last.
    ///
    /// # Panics
    /// If the axis or the index is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.constant([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.select(1, 0).value(), &tensor![1.0, 3.0]);
    /// assert_eq!(x.select(0, -1).value(), &tensor![3.0, 4.0]);
    /// ```
    #[doc(alias = "unbind")]
    #[track_caller]
    pub fn select(&self, axis: impl AxisIndex, index: impl AxisIndex) -> Var<T> {
        self.slice_by(View::select(self.shape(), axis.index(), index.index()))
    }

    /// Splits an axis into pieces of the given size; the last may be smaller.
    ///
    /// # Panics
    /// If the axis is out of range, or the size is 0.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let pieces = tape.constant([1.0, 2.0, 3.0]).split(2, 0);
    /// assert_eq!(pieces[0].value(), &tensor![1.0, 2.0]);
    /// assert_eq!(pieces[1].value(), &tensor![3.0]);
    /// ```
    #[track_caller]
    pub fn split(&self, size: usize, axis: impl AxisIndex) -> Vec<Var<T>> {
        let axis = resolve_axis("split", axis.index(), self.shape());
        self.cut(axis, pieces(size, axis, self.shape()))
    }

    /// Splits an axis into pieces of the given sizes.
    ///
    /// # Panics
    /// If the axis is out of range, or the sizes do not add up to its size.
    #[doc(alias = "split")]
    #[track_caller]
    pub fn split_with_sizes(&self, sizes: &[usize], axis: impl AxisIndex) -> Vec<Var<T>> {
        let axis = resolve_axis("split", axis.index(), self.shape());
        self.cut(axis, pieces_of_sizes(sizes, axis, self.shape()))
    }

    /// Splits an axis of size n into at most `count` pieces of size ⌈n / count⌉; the last may be smaller.
    ///
    /// # Panics
    /// If the axis is out of range, or `count` is 0.
    #[doc(alias = "array_split")]
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: impl AxisIndex) -> Vec<Var<T>> {
        let axis = resolve_axis("chunk", axis.index(), self.shape());
        self.cut(axis, chunks(count, axis, self.shape()))
    }

    #[track_caller]
    fn cut(&self, axis: usize, ranges: Vec<Range<usize>>) -> Vec<Var<T>> {
        let mut pieces = Vec::with_capacity(ranges.len());
        // Not a closure: a closure does not know the caller's line.
        for range in ranges {
            pieces.push(self.narrow(axis, range));
        }
        pieces
    }

    /// Reverses the order of the elements along the given [`Axes`].
    ///
    /// # Panics
    /// If an axis is out of range or given twice.
    #[doc(alias("fliplr", "flipud"))]
    #[track_caller]
    pub fn flip(&self, axes: impl Axes) -> Var<T> {
        self.slice_by(View::flip(self.shape(), &axes))
    }

    /// Pads each axis with a pair `(before, after)` of numbers of elements. The pairs begin with the **last** axis, as in PyTorch.
    ///
    /// # Panics
    /// If there are more pairs than axes, or the mode does not allow that much padding.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.pad(&[(1, 2)], PadMode::Constant(0.0)).value(), &tensor![[0.0, 1.0, 2.0, 3.0, 0.0, 0.0]]);
    /// assert_eq!(x.pad(&[(1, 2)], PadMode::Reflect).value(), &tensor![[2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]);
    /// ```
    #[doc(alias = "ZeroPad2d")]
    #[track_caller]
    pub fn pad(&self, pairs: &[(usize, usize)], mode: PadMode) -> Var<T> {
        let padding = padding(self.shape(), pairs);
        if let PadMode::Constant(value) = mode {
            let (shape, view) = padded(self.shape(), &padding);
            return self.pad_by(view, shape, value);
        }
        let mut y = self.clone();
        for part in padding {
            y = y.index_select(part.0, &mode.positions(self.shape(), part));
        }
        y
    }

    /// A range of an axis that is known to lie within it.
    #[track_caller]
    pub(crate) fn narrow(&self, axis: usize, range: Range<usize>) -> Var<T> {
        self.slice_by(View::narrowed(self.shape(), axis, range))
    }

    /// The elements of a view, which visits none of them twice.
    #[track_caller]
    pub(crate) fn slice_by(&self, view: View) -> Var<T> {
        apply_any(Slice { view, from: self.value().dims() }, &[self])
    }

    /// A value of the given shape with this at the positions of a view and `value` elsewhere.
    #[track_caller]
    pub(crate) fn pad_by(&self, view: View, shape: Dims, value: f64) -> Var<T> {
        Pad { view, shape, value }.of([self])
    }
}
