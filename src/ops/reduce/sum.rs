//! Sums and their adjoint, broadcasting; each is the backward rule of the other.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{Axes, AxisIndex, Dims, Float, IntoShape, Reduction, Tensor};
use crate::tensor::{broadcast_target, interleaving, reduction_of, tiling};

/// A sum over some axes; every summed element gets the gradient.
pub(crate) struct Sum(Reduction);

impl<T: Float> Op<T, 1> for Sum {
    const NAME: &'static str = "sum";
    const SAVE: Save = Save::Nothing;
    const BROADCASTS: bool = true;

    fn describe(&self, description: &mut Description) {
        description.integers("axes", &self.0.axes);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.sum_with(&self.0)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.expand_to(&self.0.shape).with_shape(self.0.kept.clone()))]
    }
}

/// Repetition along axes of size 1 and along new axes; the gradients of all copies are summed.
pub(crate) struct BroadcastTo {
    shape: Dims,
}

impl<T: Float> Op<T, 1> for BroadcastTo {
    const NAME: &'static str = "broadcast_to";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("shape", &self.shape);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.expand_to(&self.shape)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        // The engine sums a gradient down to the shape of the input.
        [Some(gy.clone())]
    }
}

/// The sum to a shape that broadcasts to the shape of the input, applied by the engine to the gradients of broadcast inputs.
pub(crate) struct SumTo {
    shape: Dims,
    from: Dims,
}

impl<T: Float> Op<T, 1> for SumTo {
    const NAME: &'static str = "sum_to";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("shape", &self.shape).field("from", &self.from);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.summed_to(&self.shape)
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.expand_to(&self.from))]
    }
}

impl<T: Float> Var<T> {
    /// The sum of all elements.
    #[track_caller]
    pub fn sum(&self) -> Var<T> {
        self.sum_over(..)
    }

    /// The sum over [`Axes`]: one, several or all; [`keepdim`](crate::keepdim) keeps them with size 1.
    ///
    /// # Panics
    /// If an axis is out of range or named twice. This applies to all reductions over axes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_over(0).value(), &tensor![4.0, 6.0]);
    /// assert_eq!(x.sum_over(keepdim([0, 1])).value(), &tensor![[10.0]]);
    /// ```
    #[doc(alias("sum_to", "reduce_sum"))]
    #[track_caller]
    pub fn sum_over(&self, axes: impl Axes) -> Var<T> {
        self.sum_reduction(&reduction_of("sum", self.shape(), &axes))
    }

    #[track_caller]
    pub(crate) fn sum_reduction(&self, reduction: &Reduction) -> Var<T> {
        Sum(reduction.clone()).of([self])
    }

    /// Repeats along axes of size 1 and along new leading axes to the given shape; −1 keeps an axis. PyTorch's `expand`.
    ///
    /// # Panics
    /// If the value does not broadcast to the shape.
    #[doc(alias("expand", "expand_as"))]
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Var<T> {
        let shape = broadcast_target(self.shape(), &shape.entries());
        BroadcastTo { shape }.of([self])
    }

    /// Tiles the value the given number of times along each axis; additional leading repeats add axes. NumPy's `tile`.
    ///
    /// # Panics
    /// If there are fewer repeats than axes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([1.0, 2.0]);
    /// assert_eq!(x.repeat([2, 2]).value(), &tensor![[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]);
    /// ```
    #[doc(alias = "tile")]
    #[track_caller]
    pub fn repeat(&self, repeats: impl IntoShape) -> Var<T> {
        let [apart, tiled, merged] = tiling(self.shape(), &repeats.entries());
        self.with_shape(apart).expand_to(&tiled).with_shape(merged)
    }

    /// Repeats each position of an axis in place; [`index_select`](Var::index_select) can repeat positions different numbers
    /// of times.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([1.0, 2.0]);
    /// assert_eq!(x.repeat_interleave(2, 0).value(), &tensor![1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, times: usize, axis: impl AxisIndex) -> Var<T> {
        let [apart, tiled, merged] = interleaving(self.shape(), times, axis.index());
        self.with_shape(apart).expand_to(&tiled).with_shape(merged)
    }

    /// [`broadcast_to`](Var::broadcast_to) for a shape already known to be compatible.
    #[track_caller]
    pub(crate) fn expand_to(&self, shape: &[usize]) -> Var<T> {
        if self.shape() == shape { self.clone() } else { BroadcastTo { shape: Dims::from_slice(shape) }.of([self]) }
    }

    /// Sums to a shape that broadcasts to this one.
    #[track_caller]
    pub(crate) fn sum_to(&self, shape: Dims) -> Var<T> {
        SumTo { shape, from: self.value().dims() }.of([self])
    }
}
