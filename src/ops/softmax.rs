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

/// The gradient through either, given its output.
fn gradient_along<T: Float>(y: &Tensor<T>, gy: &Tensor<T>, axis: usize, output: Output) -> Tensor<T> {
    let inner: usize = y.shape()[axis + 1..].iter().product();
    Tensor::build(y.dims(), |gx| softmax::gradient(y.as_slice(), gy.as_slice(), y.shape()[axis], inner, output, gx))
}

/// `y = eˣ/Σeˣ` along an axis, `gx = y (gy − Σ gy y)`.
pub(crate) struct Softmax {
    axis: usize,
}

impl<T: Float> Op<T, 1> for Softmax {
    const NAME: &'static str = "softmax";
    const SAVE: Save = Save::Output;

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        softmax_along(x, self.axis, Output::Probabilities)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(SoftmaxGradient { axis: self.axis }.of([&saved.output(), gy]))]
    }
}

/// `gx = y (gy − Σ gy y)` along an axis; the gradients of ⟨u, gx⟩ are `u (gy − Σ gy y) − gy Σ u y` and `y (u − Σ u y)`.
pub(crate) struct SoftmaxGradient {
    axis: usize,
}

impl<T: Float> Op<T, 2> for SoftmaxGradient {
    const NAME: &'static str = "softmax_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis);
    }

    fn forward(&mut self, [y, gy]: [&Tensor<T>; 2]) -> Tensor<T> {
        gradient_along(y, gy, self.axis, Output::Probabilities)
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        let ([y, gy], axis) = (saved.inputs(), self.axis);
        let along = |v: &Var<T>| (v * &y).sum_over(keepdim(axis));
        [
            saved.needs(0).then(|| u * (&gy - along(&gy)) - &gy * along(u)),
            saved.needs(1).then(|| SoftmaxGradient { axis }.of([&y, u])),
        ]
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
        description.integer("axis", self.axis);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        softmax_along(x, self.axis, Output::Logarithms)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(LogSoftmaxGradient { axis: self.axis }.of([&saved.output(), gy]))]
    }
}

/// `gx = gy − eʸ Σ gy` along an axis; the gradients of ⟨u, gx⟩ are `−eʸ u Σ gy` and `u − Σ u eʸ`.
pub(crate) struct LogSoftmaxGradient {
    axis: usize,
}

impl<T: Float> Op<T, 2> for LogSoftmaxGradient {
    const NAME: &'static str = "log_softmax_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis);
    }

    fn forward(&mut self, [y, gy]: [&Tensor<T>; 2]) -> Tensor<T> {
        gradient_along(y, gy, self.axis, Output::Logarithms)
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        let [y, gy] = saved.inputs();
        let weighted = u * y.exp();
        [
            saved.needs(0).then(|| -(&weighted * gy.sum_over(keepdim(self.axis)))),
            saved.needs(1).then(|| u - weighted.sum_over(keepdim(self.axis))),
        ]
    }
}

/// `y = ln Σ eˣ` along the last axis, `dy/dx = softmax x`, 0 where all x are −∞.
pub(crate) struct LogSumExp;

impl<T: Float> Op<T, 1> for LogSumExp {
    const NAME: &'static str = "logsumexp";
    const SAVE: Save = Save::Inputs;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let (rows, n) = x.shape().split_at(x.rank() - 1);
        Tensor::build(Dims::from_slice(rows), |y| softmax::logsumexp(x.as_slice(), n[0], y))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(LogSumExpGradient.of([&saved.input(0), gy]))]
    }
}

/// `gx = gy softmax(x)` along the last axis, 0 where all x are −∞; with p = softmax(x), the gradients of ⟨u, gx⟩ are
/// `gy p (u − Σ u p)` and `Σ u p`.
pub(crate) struct LogSumExpGradient;

impl<T: Float> Op<T, 2> for LogSumExpGradient {
    const NAME: &'static str = "logsumexp_gradient";
    const SAVE: Save = Save::Inputs;

    fn forward(&mut self, [x, gy]: [&Tensor<T>; 2]) -> Tensor<T> {
        let n = x.shape()[x.rank() - 1];
        Tensor::build(x.dims(), |gx| softmax::logsumexp_gradient(x.as_slice(), gy.as_slice(), n, gx))
    }
    fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
        let [x, gy] = saved.inputs();
        let p = LogSumExpGradient.of([&x, &saved.constant(Tensor::ones(gy.shape()))]);
        let along = (u * &p).sum_over(keepdim(-1));
        [
            saved.needs(0).then(|| gy.unsqueeze(-1) * &p * (u - &along)),
            saved.needs(1).then(|| along.with_shape(gy.value().dims())),
        ]
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
