//! Softmax, log-softmax and logsumexp, numerically stable for scores of any magnitude.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::kernel::softmax::{self, Output};
use crate::ops::registry::Registered;
use crate::tensor::{Axes, AxisIndex, Dims, Float, Tensor, keepdim, reduction_of, resolve_axis};

/// Softmax or log-softmax along one axis.
fn softmax_along<T: Float>(x: &Tensor<T>, axis: usize, output: Output) -> Tensor<T> {
    let inner: usize = x.shape()[axis + 1..].iter().product();
    Tensor::build(x.dims(), |y| softmax::softmax(x.as_slice(), x.shape()[axis], inner, output, y))
}

/// `y = eˣ/Σeˣ` along an axis, `gx = y (gy − Σ gy y)`.
pub(crate) struct Softmax {
    axis: usize,
}

impl<T: Float> Op<T, 1> for Softmax {
    const NAME: &'static str = "softmax";
    const SAVE: Save = Save::Output;

    fn describe(&self, description: &mut Description) {
        description.field("axis", &self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        softmax_along(x, self.axis, Output::Probabilities)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let y = saved.output();
        let weighted = gy * &y;
        [Some(&weighted - y * weighted.sum_over(keepdim(self.axis)))]
    }
}

/// `y = x − ln Σ eˣ` along an axis, `gx = gy − eʸ Σ gy`.
pub(crate) struct LogSoftmax {
    axis: usize,
}

impl<T: Float> Op<T, 1> for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    const SAVE: Save = Save::Output;

    fn describe(&self, description: &mut Description) {
        description.field("axis", &self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        softmax_along(x, self.axis, Output::Logarithms)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy - saved.output().exp() * gy.sum_over(keepdim(self.axis)))]
    }
}

/// `y = ln Σ eˣ` along the last axis, `dy/dx = softmax x`, 0 where all x are −∞.
pub(crate) struct LogSumExp;

impl<T: Float> Op<T, 1> for LogSumExp {
    const NAME: &'static str = "logsumexp";
    const SAVE: Save = Save::InputsAndOutput;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let (rows, n) = x.shape().split_at(x.rank() - 1);
        Tensor::build(Dims::from_slice(rows), |y| softmax::logsumexp(x.as_slice(), n[0], y))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let x = saved.input(0);
        let (gy, y) = (gy.unsqueeze(-1), saved.output().value().unsqueeze(-1));
        if !y.as_slice().contains(&T::NEG_INFINITY) {
            return [Some(gy * x.softmax(-1))];
        }
        let empty = y.mask(|y| y == T::NEG_INFINITY);
        let rows = empty.expand_to(x.shape());
        [Some(gy.masked_fill(&empty, 0.0) * x.masked_fill(&rows, 0.0).softmax(-1))]
    }
}

functions! {
    /// `eˣ/Σeˣ` along an axis: positive values that sum to 1. Stable for scores of any magnitude; a row of −∞ gives NaN.
    ///
    /// For a loss on class labels use [`softmax_cross_entropy`](Var::softmax_cross_entropy), which takes unnormalized scores.
    ///
    /// # Panics
    /// If the axis is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// assert_eq!(tape.constant([1000.0, 1000.0]).softmax(-1).value(), &tensor![0.5, 0.5]);
    /// assert_eq!(tensor![1000.0, 1000.0].softmax(-1), tensor![0.5, 0.5]);
    /// ```
    fn softmax(x, axis: impl AxisIndex) = {
        let (shape, axis) = shape_and_axis("softmax", axis.index(), x.shape());
        Softmax { axis }.of([&x.with_shape(shape)]).with_shape(Dims::from_slice(x.shape()))
    };

    /// `x − ln Σ eˣ` along an axis: the logarithm of [`softmax`](Var::softmax), accurate also where the softmax underflows.
    ///
    /// # Panics
    /// If the axis is out of range.
    fn log_softmax(x, axis: impl AxisIndex) = {
        let (shape, axis) = shape_and_axis("log_softmax", axis.index(), x.shape());
        LogSoftmax { axis }.of([&x.with_shape(shape)]).with_shape(Dims::from_slice(x.shape()))
    };

    /// `ln Σ eˣ` of all elements, without overflow; −∞ for an empty input.
    fn logsumexp(x) = x.logsumexp_over(..);

    /// `ln Σ eˣ` over [`Axes`], without overflow.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    fn logsumexp_over(x, axes: impl Axes) = {
        let reduction = reduction_of("logsumexp", x.shape(), &axes);
        LogSumExp.of([&x.last(&reduction)]).with_shape(reduction.shape)
    };
}

/// The shape and the resolved axis; a scalar counts as a vector of one element, as in PyTorch.
#[track_caller]
fn shape_and_axis(op: &str, axis: i128, shape: &[usize]) -> (Dims, usize) {
    if shape.is_empty() && (axis == 0 || axis == -1) {
        return (Dims::from_slice(&[1]), 0);
    }
    (Dims::from_slice(shape), resolve_axis(op, axis, shape))
}
