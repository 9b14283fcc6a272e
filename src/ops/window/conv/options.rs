//! Convolution methods and their options.

use crate::autograd::{Operand, Var};
use crate::kernel::window::conv::Convolution;
use crate::ops::window::conv::Geometry;
use crate::ops::window::{PerAxis, WindowSpec, positive};
use crate::panics;
use crate::tensor::{Dims, Float, checked_shape};

/// Options of a convolution along `D` axes: stride, padding, dilation and groups, as in PyTorch.
///
/// Options per axis take one number for all axes, or one for each: `.stride(2)`, `.stride([2, 1])`.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let (x, weight) = (tape.var(Tensor::ones([1, 4, 9, 9])), Tensor::ones([8, 2, 3, 3]));
/// let y = x.conv2d(&weight, Conv::new().stride(2).padding([1, 0]).groups(2));
/// assert_eq!(y.shape(), [1, 8, 5, 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv<const D: usize> {
    stride: [usize; D],
    padding: [usize; D],
    output_padding: [usize; D],
    dilation: [usize; D],
    pub(crate) groups: usize,
}

impl<const D: usize> Conv<D> {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> Self {
        Conv { stride: [1; D], padding: [0; D], output_padding: [0; D], dilation: [1; D], groups: 1 }
    }

    /// The step from one window to the next.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn stride(self, stride: impl PerAxis<D>) -> Self {
        Conv { stride: positive("stride", stride), ..self }
    }

    /// The number of zeros added on each side of the image. A transposed convolution crops its output by the same amount.
    pub fn padding(self, padding: impl PerAxis<D>) -> Self {
        Conv { padding: padding.per_axis(), ..self }
    }

    /// The spacing between the elements under the kernel: with 2, every other element is skipped. Yu and Koltun 2016.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn dilation(self, dilation: impl PerAxis<D>) -> Self {
        Conv { dilation: positive("dilation", dilation), ..self }
    }

    /// Splits the channels into independent groups; one group per channel makes a depthwise convolution.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn groups(self, groups: usize) -> Self {
        let [groups] = positive("groups", groups);
        Conv { groups, ..self }
    }

    /// The number of elements that a transposed convolution adds at the end of each axis; less than the stride or the dilation.
    ///
    /// With stride s, a convolution maps s image sizes to the same output size; this option chooses among them.
    pub fn output_padding(self, output_padding: impl PerAxis<D>) -> Self {
        Conv { output_padding: output_padding.per_axis(), ..self }
    }

    /// The window for a kernel of the given size.
    pub(crate) fn window(&self, kernel: &[usize]) -> WindowSpec<D> {
        let Conv { stride, padding, dilation, .. } = *self;
        WindowSpec { kernel: std::array::from_fn(|k| kernel[k]), stride, padding, dilation }
    }
}

impl<const D: usize> Default for Conv<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> Var<T> {
    /// The convolution of x `[N, C, L]` with a weight `[out, C / groups, K]` along the last axis:
    /// `y[n, o, l] = Σ w[o, c, k] x[n, c, l + k]` for stride 1 and no padding.
    ///
    /// As usual in deep learning this is a cross-correlation: the kernel is not flipped.
    ///
    /// # Panics
    /// If the shapes do not fit, or the kernel is larger than the padded input.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[1.0, 2.0, 4.0, 8.0]]]);
    /// let difference = tensor![[[-1.0, 1.0]]];
    /// let y = x.conv1d(&difference, Conv::new());
    /// assert_eq!(y.value(), &tensor![[[1.0, 2.0, 4.0]]]);
    /// assert_eq!(y.sum().grad(&x).value(), &tensor![[[-1.0, 0.0, 0.0, 1.0]]]);
    /// ```
    #[track_caller]
    pub fn conv1d(&self, weight: impl Operand<T>, options: Conv<1>) -> Var<T> {
        self.convolve("conv1d", &self.resolve_operand(&weight), None, &options)
    }

    /// [`conv1d`](Var::conv1d) plus a bias `[out]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the kernel is larger than the padded input.
    #[track_caller]
    pub fn conv1d_bias(&self, weight: impl Operand<T>, bias: impl Operand<T>, options: Conv<1>) -> Var<T> {
        self.convolve("conv1d", &self.resolve_operand(&weight), Some(&self.resolve_operand(&bias)), &options)
    }

    /// The convolution of images x `[N, C, H, W]` with a weight `[out, C / groups, kernel height, kernel width]`.
    ///
    /// The result is `[N, out, (H + 2 padding − dilation (kernel − 1) − 1) / stride + 1, …]`, rounded down. As usual in deep
    /// learning this is a cross-correlation: the kernel is not flipped.
    ///
    /// # Panics
    /// If the shapes do not fit, or the kernel is larger than the padded image.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::ones([1, 1, 3, 3]));
    /// let y = x.conv2d(&Tensor::ones([1, 1, 3, 3]), Conv::new().padding(1));
    /// assert_eq!(y.value().reshape([3, 3]), tensor![[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]);
    /// ```
    #[track_caller]
    pub fn conv2d(&self, weight: impl Operand<T>, options: Conv<2>) -> Var<T> {
        self.convolve("conv2d", &self.resolve_operand(&weight), None, &options)
    }

    /// [`conv2d`](Var::conv2d) plus a bias `[out]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the kernel is larger than the padded image.
    #[track_caller]
    pub fn conv2d_bias(&self, weight: impl Operand<T>, bias: impl Operand<T>, options: Conv<2>) -> Var<T> {
        self.convolve("conv2d", &self.resolve_operand(&weight), Some(&self.resolve_operand(&bias)), &options)
    }

    /// The transposed convolution of `[N, C, L]` with a weight `[C, out / groups, K]`: the gradient of
    /// [`conv1d`](Var::conv1d) with respect to its input, used as a learned upsampling.
    ///
    /// # Panics
    /// If the shapes do not fit, or the output padding is not smaller than the stride or the dilation.
    #[track_caller]
    pub fn conv_transpose1d(&self, weight: impl Operand<T>, options: Conv<1>) -> Var<T> {
        self.transpose_convolve("conv_transpose1d", &self.resolve_operand(&weight), None, &options)
    }

    /// [`conv_transpose1d`](Var::conv_transpose1d) plus a bias `[out]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the output padding is not smaller than the stride or the dilation.
    #[track_caller]
    pub fn conv_transpose1d_bias(&self, weight: impl Operand<T>, bias: impl Operand<T>, options: Conv<1>) -> Var<T> {
        self.transpose_convolve(
            "conv_transpose1d",
            &self.resolve_operand(&weight),
            Some(&self.resolve_operand(&bias)),
            &options,
        )
    }

    /// The transposed convolution of images `[N, C, H, W]` with a weight `[C, out / groups, kernel height, kernel width]`:
    /// the gradient of [`conv2d`](Var::conv2d) with respect to its input, used as a learned upsampling.
    ///
    /// The result is `[N, out, (H − 1) stride − 2 padding + dilation (kernel − 1) + output padding + 1, …]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the output padding is not smaller than the stride or the dilation.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([[[[1.0, 2.0]]]]);
    /// let y = x.conv_transpose2d(&Tensor::ones([1, 1, 1, 2]), Conv::new().stride([1, 2]));
    /// assert_eq!(y.value(), &tensor![[[[1.0, 1.0, 2.0, 2.0]]]]);
    /// ```
    #[doc(alias = "deconv2d")]
    #[track_caller]
    pub fn conv_transpose2d(&self, weight: impl Operand<T>, options: Conv<2>) -> Var<T> {
        self.transpose_convolve("conv_transpose2d", &self.resolve_operand(&weight), None, &options)
    }

    /// [`conv_transpose2d`](Var::conv_transpose2d) plus a bias `[out]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the output padding is not smaller than the stride or the dilation.
    #[track_caller]
    pub fn conv_transpose2d_bias(&self, weight: impl Operand<T>, bias: impl Operand<T>, options: Conv<2>) -> Var<T> {
        self.transpose_convolve(
            "conv_transpose2d",
            &self.resolve_operand(&weight),
            Some(&self.resolve_operand(&bias)),
            &options,
        )
    }

    #[track_caller]
    #[inline(never)]
    fn convolve<const D: usize>(&self, op: &str, weight: &Var<T>, bias: Option<&Var<T>>, options: &Conv<D>) -> Var<T> {
        let (channels, [outputs, inputs]) = self.fitting(op, weight, "out, channels / groups", D);
        let (kernel, groups) = (&weight.shape()[2..], options.groups);
        if channels != inputs.saturating_mul(groups) {
            self.shape_error(
                op,
                weight,
                &panics::conv_channels(self.shape(), weight.shape(), channels, inputs, groups),
            );
        }
        if !outputs.is_multiple_of(groups) {
            self.shape_error(op, weight, &panics::conv_groups(weight.shape(), outputs, groups));
        }
        if options.output_padding != [0; D] {
            panics::output_padding(op, options.output_padding[D - 1], &"0: it is for transposed convolutions");
        }
        let windows = options.window(kernel).output_of(op, self.shape(), false);
        let geometry = Geometry { axes: D, parts: Convolution { windows, groups, inputs, outputs: outputs / groups } };
        check_sizes(op, self.shape()[0], &geometry.parts);
        self.check_bias(op, bias, outputs);
        geometry.convolve(self, weight, bias)
    }

    #[track_caller]
    #[inline(never)]
    fn transpose_convolve<const D: usize>(
        &self,
        op: &str,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        options: &Conv<D>,
    ) -> Var<T> {
        let (channels, [outputs, inputs]) = self.fitting(op, weight, "channels, out / groups", D);
        let (kernel, groups) = (&weight.shape()[2..], options.groups);
        if channels != outputs {
            self.shape_error(op, weight, &panics::transpose_channels(self.shape(), weight.shape(), channels, outputs));
        }
        if !outputs.is_multiple_of(groups) {
            self.shape_error(op, weight, &panics::conv_groups(weight.shape(), outputs, groups));
        }
        for k in 0..D {
            let (padding, most) = (options.output_padding[k], options.stride[k].max(options.dilation[k]));
            if padding >= most {
                panics::output_padding(op, padding, &format!("less than {most}, the larger of stride and dilation"));
            }
        }
        let windows = options.window(kernel).input_of(op, self.shape(), options.output_padding);
        let geometry = Geometry { axes: D, parts: Convolution { windows, groups, inputs, outputs: outputs / groups } };
        check_sizes(op, self.shape()[0], &geometry.parts);
        self.check_bias(op, bias, inputs * groups);
        geometry.transpose(self, weight, bias)
    }

    /// The channels of `self` and the first two sizes of the weight, after checking the ranks of a convolution along `axes` axes.
    #[track_caller]
    fn fitting(&self, op: &str, weight: &Var<T>, channels: &str, axes: usize) -> (usize, [usize; 2]) {
        let (x, w) = (self.shape(), weight.shape());
        if x.len() != axes + 2 || w.len() != axes + 2 {
            self.shape_error(op, weight, &panics::not_convolvable(x, w, channels, axes));
        }
        if w[2..].contains(&0) {
            self.shape_error(op, weight, &panics::empty_kernel(w));
        }
        (x[1], [w[0], w[1]])
    }

    #[track_caller]
    fn check_bias(&self, op: &str, bias: Option<&Var<T>>, channels: usize) {
        if let Some(bias) = bias.filter(|bias| bias.shape() != [channels]) {
            self.shape_error(op, bias, &panics::conv_bias(bias.shape(), channels));
        }
    }
}

/// Panics if the result, or the windows of an image as columns, have more elements than possible.
#[track_caller]
fn check_sizes(op: &str, count: usize, parts: &Convolution) {
    let Convolution { windows, groups, inputs, outputs } = parts;
    let ([top, left], [rows, columns]) = (windows.kernel, windows.output);
    checked_shape(op, Dims::from_slice(&[*inputs, top, left, rows, columns]));
    checked_shape(op, Dims::from_slice(&[count, *groups, *outputs, rows, columns]));
    checked_shape(op, [count, *groups, *inputs].iter().chain(&windows.input).copied().collect());
}
