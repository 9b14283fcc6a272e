//! Layer, RMS, group and instance normalization.
//!
//! All of them normalize *rows*, contiguous elements: the trailing axes, the channels of a group, or the positions of a channel. The
//! statistics are not saved; the kernels recompute them, because they read the rows anyway.

use crate::autograd::{Description, Op, Operand, Save, Saved, Setting, Var};
use crate::kernel::norm::row_norm::{self, Rows};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Dims, Float, IntoShape, Tensor, element_count, keepdim, resolve_shape};

/// `y = x̂ w + b`, where `x̂ = (x − mean) s` with `s = 1/√(variance + ε)`, or `x̂ = x/√(mean x² + ε)`.
pub(crate) struct RowNorm(Rows);

impl<T: Float> Op<T, 3> for RowNorm {
    const NAME: &'static str = "row_norm";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        describe(&self.0, description);
    }

    fn forward(&mut self, [x, weight, bias]: [&Tensor<T>; 3]) -> Tensor<T> {
        Tensor::build(x.dims(), |y| {
            row_norm::normalize(&self.0, x.as_slice(), weight.as_slice(), bias.as_slice(), y);
        })
    }
    fn backward(&self, saved: &Saved<T, 3>, gy: &Var<T>) -> [Option<Var<T>>; 3] {
        let (x, weight) = (saved.input(0), saved.input(1));
        [
            saved.needs(0).then(|| RowNormGradient(self.0).of([&x, &weight, gy])),
            saved.needs(1).then(|| RowNormWeightGradient(self.0).of([&x, gy])),
            saved.needs(2).then(|| gy.sum_to_channels(&self.0)),
        ]
    }
}

/// The gradient of the normalization with respect to x, `gx = F(gy w)` for `F(h) = s (h − mean h − x̂ mean(h x̂))`.
///
/// F is linear and self-adjoint. With `q = mean(u h) − mean u mean h − mean(u x̂) mean(h x̂)`, without the middle term if the rows are
/// not centered, the gradient of ⟨u, F(h)⟩ with respect to x is `−s² x̂ q − s (mean(h x̂) F(u) + mean(u x̂) F(h))`.
pub(crate) struct RowNormGradient(Rows);

impl<T: Float> Op<T, 3> for RowNormGradient {
    const NAME: &'static str = "row_norm_gradient";
    const SAVE: Save = Save::InputsAndOutput;

    fn describe(&self, description: &mut Description) {
        describe(&self.0, description);
    }

    fn forward(&mut self, [x, weight, gy]: [&Tensor<T>; 3]) -> Tensor<T> {
        Tensor::build(x.dims(), |gx| {
            row_norm::gradient(&self.0, x.as_slice(), weight.as_slice(), gy.as_slice(), gx);
        })
    }
    fn backward(&self, saved: &Saved<T, 3>, u: &Var<T>) -> [Option<Var<T>>; 3] {
        let rows = &self.0;
        let [x, weight, gy] = saved.inputs();
        let fu = RowNormGradient(*rows).of([&x, &x.ones_of_channels(rows), u]);
        let gx = || {
            let in_rows = |v: &Var<T>| v.with_shape(Dims::from_slice(&[v.value().len() / rows.size, rows.size]));
            let [x, u, fu, fh] = [&x, u, &fu, &saved.output()].map(in_rows);
            let (h, normal) = (in_rows(&gy.times_channels(&weight, rows)), in_rows(&x.normalized_rows(rows)));
            let mean = |v: &Var<T>| v.mean_over(keepdim(-1));
            let variance = if rows.centered { x.var_over(keepdim(-1), 0.0) } else { mean(&x.square()) };
            let s = (variance + rows.epsilon).rsqrt();
            let (along_u, along_h) = (mean(&(&u * &normal)), mean(&(&h * &normal)));
            let q = mean(&(&u * &h)) - &along_u * &along_h;
            let q = if rows.centered { q - mean(&u) * mean(&h) } else { q };
            let gx = -(normal * (s.square() * q)) - &s * (along_h * fu + along_u * fh);
            gx.with_shape(saved.input(0).value().dims())
        };
        [
            (saved.needs(0) && rows.size > 0).then(gx),
            saved.needs(1).then(|| (&gy * &fu).sum_to_channels(rows)),
            saved.needs(2).then(|| fu.times_channels(&weight, rows)),
        ]
    }
}

/// The gradient of the normalization with respect to the weight, `gw = Σ gy x̂` over the elements of each channel.
///
/// For a cotangent v, which acts as a weight, `gx = F(gy v)` and `ggy = x̂ v`.
pub(crate) struct RowNormWeightGradient(Rows);

impl<T: Float> Op<T, 2> for RowNormWeightGradient {
    const NAME: &'static str = "row_norm_weight_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        describe(&self.0, description);
    }

    fn forward(&mut self, [x, gy]: [&Tensor<T>; 2]) -> Tensor<T> {
        let channels = self.0.channels;
        Tensor::build(Dims::from_slice(&[channels]), |gw| {
            row_norm::weight_gradient(&self.0, x.as_slice(), gy.as_slice(), gw);
        })
    }
    fn backward(&self, saved: &Saved<T, 2>, v: &Var<T>) -> [Option<Var<T>>; 2] {
        let (x, gy) = (saved.input(0), saved.input(1));
        [
            saved.needs(0).then(|| RowNormGradient(self.0).of([&x, v, &gy])),
            saved.needs(1).then(|| x.normalized_rows(&self.0).times_channels(v, &self.0)),
        ]
    }
}

/// Adds the settings to a description.
fn describe(rows: &Rows, description: &mut Description) {
    description.integer("size", rows.size).flag("centered", rows.centered).number("epsilon", rows.epsilon);
    description.data("run", Setting::Integers(vec![rows.run]));
}

impl<T: Float> Var<T> {
    /// x̂, the rows without weight and bias.
    #[track_caller]
    fn normalized_rows(&self, rows: &Rows) -> Var<T> {
        let ones = self.ones_of_channels(rows);
        let zeros = self.constant(Tensor::zeros([rows.channels]));
        RowNorm(*rows).of([self, &ones, &zeros])
    }

    fn ones_of_channels(&self, rows: &Rows) -> Var<T> {
        self.constant(Tensor::ones([rows.channels]))
    }

    /// Reshaped to `[repeats, channels, run]`.
    #[track_caller]
    fn by_channels(&self, rows: &Rows) -> Var<T> {
        let repeats = self.value().len() / (rows.channels * rows.run).max(1);
        self.with_shape(Dims::from_slice(&[repeats, rows.channels, rows.run]))
    }

    /// Multiplied by a weight for each channel.
    #[track_caller]
    fn times_channels(&self, weight: &Var<T>, rows: &Rows) -> Var<T> {
        let weight = weight.with_shape(Dims::from_slice(&[rows.channels, 1]));
        (self.by_channels(rows) * weight).with_shape(self.value().dims())
    }

    /// Summed over the elements of each channel.
    #[track_caller]
    fn sum_to_channels(&self, rows: &Rows) -> Var<T> {
        let by_channels = self.by_channels(rows);
        if rows.run == 1 { by_channels.squeeze_axis(-1).sum_over(0) } else { by_channels.sum_over(-1).sum_over(0) }
    }

    /// Normalizes the rows, with a weight and a bias of shape `affine`, or numbers.
    #[track_caller]
    fn row_norm(
        &self,
        op: &str,
        rows: Rows,
        affine: &[usize],
        weight: impl Operand<T>,
        bias: impl Operand<T>,
    ) -> Var<T> {
        let weight = self.affine_parameter(op, &rows, affine, weight);
        let bias = self.affine_parameter(op, &rows, affine, bias);
        RowNorm(rows).of([self, &weight, &bias])
    }

    /// A weight or bias for each channel, from one of shape `affine` or a number.
    #[track_caller]
    fn affine_parameter(&self, op: &str, rows: &Rows, affine: &[usize], given: impl Operand<T>) -> Var<T> {
        let given = self.resolve_operand(&given);
        let channels = Dims::from_slice(&[rows.channels]);
        match given.shape() {
            [] => given.expand_to(&channels),
            shape if shape == affine => given.with_shape(channels),
            shape => panics::affine_shape(op, shape, affine),
        }
    }

    /// The rows of a normalization over trailing axes of the given shape.
    #[track_caller]
    fn trailing_rows(&self, op: &str, shape: &[usize], centered: bool, epsilon: f64) -> Rows {
        if shape.is_empty() || !self.shape().ends_with(shape) {
            panics::not_trailing(op, self.shape(), shape);
        }
        let size = element_count(shape);
        Rows { size, channels: size, run: 1, centered, epsilon }
    }

    /// Layer normalization: `(x − mean)/√(variance + ε) · weight + bias` over the trailing axes of shape `normalized_shape`.
    ///
    /// Ba, Kiros and Hinton 2016. The variance is the biased one, and ε is inside the root. Weight and bias have the normalized shape
    /// or are numbers (1 and 0 for none). The layer is [`LayerNorm`](crate::nn::LayerNorm).
    ///
    /// # Panics
    /// If the shape does not end with `normalized_shape` or that has no axes, or the weight or bias has another shape.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 3.0], [10.0, 30.0]]);
    /// let y = x.layer_norm([2], 1.0, 0.5, 0.0);
    /// assert_eq!(y.value(), &tensor![[-0.5, 1.5], [-0.5, 1.5]]);
    /// ```
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: impl IntoShape,
        weight: impl Operand<T>,
        bias: impl Operand<T>,
        epsilon: f64,
    ) -> Var<T> {
        let shape = resolve_shape("layer_norm", normalized_shape, None);
        let rows = self.trailing_rows("layer_norm", &shape, true, epsilon);
        self.row_norm("layer_norm", rows, &shape, weight, bias)
    }

    /// Root mean square normalization: `x/√(mean x² + ε) · weight` over the trailing axes of shape `normalized_shape`.
    ///
    /// Zhang and Sennrich 2019. ε is inside the root. The weight has the normalized shape or is a number (1 for none). The layer is [`RmsNorm`](crate::nn::RmsNorm).
    ///
    /// # Panics
    /// If the shape does not end with `normalized_shape` or that has no axes, or the weight has another shape.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 7.0], [-30.0, 0.0]]);
    /// let y = x.rms_norm([2], 5.0, 0.0);
    /// assert_eq!(format!("{:.2}", y.value()), "[[ 1.    7.  ]\n [-7.07  0.  ]]");
    /// ```
    #[track_caller]
    pub fn rms_norm(&self, normalized_shape: impl IntoShape, weight: impl Operand<T>, epsilon: f64) -> Var<T> {
        let shape = resolve_shape("rms_norm", normalized_shape, None);
        let rows = self.trailing_rows("rms_norm", &shape, false, epsilon);
        self.row_norm("rms_norm", rows, &shape, weight, 0.0)
    }

    /// Group normalization of `[N, C]` or `[N, C, …]`: `(x − mean)/√(variance + ε) · weight + bias` over the channels (axis 1) and
    /// positions of each of `groups` groups of a sample.
    ///
    /// Wu and He 2018. The variance is the biased one, and ε is inside the root. Weight and bias are `[C]` or numbers (1 and 0 for
    /// none). The layer is [`GroupNorm`](crate::nn::GroupNorm).
    ///
    /// # Panics
    /// If there is no axis 1, the number of channels is not divisible by `groups`, or the weight or bias has another shape.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[1.0, 3.0, 10.0, 30.0]]);
    /// assert_eq!(x.group_norm(2, 1.0, 0.0, 0.0).value(), &tensor![[-1.0, 1.0, -1.0, 1.0]]);
    /// ```
    #[track_caller]
    pub fn group_norm(&self, groups: usize, weight: impl Operand<T>, bias: impl Operand<T>, epsilon: f64) -> Var<T> {
        let [_, channels, positions @ ..] = self.shape() else { panics::no_channels("group_norm", self.shape()) };
        let (channels, run) = (*channels, element_count(positions));
        if groups == 0 || !channels.is_multiple_of(groups) {
            panics::groups(groups, channels, self.shape());
        }
        let rows = Rows { size: channels / groups * run, channels, run, centered: true, epsilon };
        self.row_norm("group_norm", rows, &[channels], weight, bias)
    }

    /// Instance normalization of `[N, C, …]`: `(x − mean)/√(variance + ε) · weight + bias` over the positions of each sample and channel.
    ///
    /// Ulyanov, Vedaldi and Lempitsky 2016. The variance is the biased one, and ε is inside the root. Weight and bias are `[C]` or
    /// numbers (1 and 0 for none). The layer is [`InstanceNorm`](crate::nn::InstanceNorm).
    ///
    /// # Panics
    /// If a channel has fewer than two positions, or the weight or bias has another shape.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[1.0, 3.0], [10.0, 30.0]]]);
    /// assert_eq!(x.instance_norm(1.0, 0.0, 0.0).value(), &tensor![[[-1.0, 1.0], [-1.0, 1.0]]]);
    /// ```
    #[track_caller]
    pub fn instance_norm(&self, weight: impl Operand<T>, bias: impl Operand<T>, epsilon: f64) -> Var<T> {
        let [_, channels, positions @ ..] = self.shape() else { panics::no_channels("instance_norm", self.shape()) };
        let (channels, run) = (*channels, element_count(positions));
        if run < 2 {
            panics::no_positions(self.shape());
        }
        let rows = Rows { size: run, channels, run, centered: true, epsilon };
        self.row_norm("instance_norm", rows, &[channels], weight, bias)
    }
}
