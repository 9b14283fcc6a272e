//! Convolution layers.

use super::Init;
use crate::autograd::{Param, Var};
use crate::ops::{Conv, PerAxis};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use rand::Rng;

/// Declares a convolution layer: its name, the number of axes, the methods of [`Var`] without and with a bias, the shape of the
/// weight, and whether the input channels come first in it.
macro_rules! layer {
    (
        $(#[$meta:meta])*
        struct $name:ident;
        axes: $axes:literal,
        methods: [$method:ident, $method_bias:ident],
        weight: $weight:literal,
        transposed: $transposed:literal,
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name<T: Float = f32> {
            #[doc = $weight]
            pub weight: Param<T>,
            /// `[out]`; `None` for a layer without a bias.
            pub bias: Option<Param<T>>,
            /// Stride, padding, dilation and groups.
            pub options: Conv<$axes>,
        }
        crate::module!($name<T> { weight, bias; options });

        impl<T: Float> $name<T> {
            /// Creates a layer from `inputs` to `outputs` channels, with a bias of zeros.
            ///
            /// # Panics
            /// If a kernel size is 0.
            #[track_caller]
            pub fn new(
                inputs: usize,
                outputs: usize,
                kernel: impl PerAxis<$axes>,
                init: Init,
                rng: &mut impl Rng,
            ) -> Self {
                $name::grouped(inputs, outputs, kernel, 1, init, rng)
            }

            /// Creates a layer without a bias, as used before a normalization.
            ///
            /// # Panics
            /// If a kernel size is 0.
            #[track_caller]
            pub fn without_bias(
                inputs: usize,
                outputs: usize,
                kernel: impl PerAxis<$axes>,
                init: Init,
                rng: &mut impl Rng,
            ) -> Self {
                $name { bias: None, ..$name::new(inputs, outputs, kernel, init, rng) }
            }

            /// Creates a grouped convolution, which connects the channels only within each group, with a bias of zeros.
            ///
            /// # Panics
            /// If the channels are not divisible by the groups, or a kernel size is 0.
            #[track_caller]
            pub fn grouped(
                inputs: usize,
                outputs: usize,
                kernel: impl PerAxis<$axes>,
                groups: usize,
                init: Init,
                rng: &mut impl Rng,
            ) -> Self {
                let weight = weight([inputs, outputs], &kernel.per_axis(), groups, $transposed, init, rng);
                $name { weight, bias: Some(zeros(outputs)), options: Conv::new().groups(groups) }
            }

            /// Sets the stride, the distance between neighboring windows; 1 by default.
            ///
            /// # Panics
            /// If the value is 0.
            #[must_use]
            #[track_caller]
            pub fn stride(self, stride: impl PerAxis<$axes>) -> Self {
                $name { options: self.options.stride(stride), ..self }
            }

            /// Sets the zero padding on each side of the input; a transposed convolution crops its output by it instead. 0 by
            /// default.
            #[must_use]
            pub fn padding(self, padding: impl PerAxis<$axes>) -> Self {
                $name { options: self.options.padding(padding), ..self }
            }

            /// Sets the dilation, the distance between neighboring kernel elements in the input; 1 by default.
            ///
            /// # Panics
            /// If the value is 0.
            #[must_use]
            #[track_caller]
            pub fn dilation(self, dilation: impl PerAxis<$axes>) -> Self {
                $name { options: self.options.dilation(dilation), ..self }
            }

            /// Applies the convolution; see the method of [`Var`].
            ///
            /// # Panics
            /// If the shapes do not match.
            #[track_caller]
            #[inline(never)]
            pub fn forward(&self, x: &Var<T>) -> Var<T> {
                match &self.bias {
                    Some(bias) => x.$method_bias(&self.weight, bias, self.options),
                    None => x.$method(&self.weight, self.options),
                }
            }
        }
    };
}

/// Samples an initial weight `[out, in / groups, kernel …]`, or `[in, out / groups, kernel …]` for a transposed convolution.
///
/// Both are scaled by the fans of the first shape, since an output element sums in / groups · kernel products.
#[track_caller]
#[inline(never)]
pub(super) fn weight<T: Float>(
    [inputs, outputs]: [usize; 2],
    kernel: &[usize],
    groups: usize,
    transposed: bool,
    init: Init,
    rng: &mut dyn Rng,
) -> Param<T> {
    if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
        panics::layer_groups(inputs, outputs, groups);
    }
    let shape = |front: [usize; 2]| front.iter().chain(kernel).copied().collect::<Dims>();
    let weight: Tensor<T> = init.sample(&shape([outputs, inputs / groups]), rng);
    Param::new(if transposed { weight.with_shape(shape([inputs, outputs / groups])) } else { weight })
}

/// The initial bias, zeros.
#[track_caller]
#[inline(never)]
pub(super) fn zeros<T: Float>(outputs: usize) -> Param<T> {
    Param::new(Tensor::zeros([outputs]))
}

layer! {
    /// A one-dimensional convolution: [`Var::conv1d`] with weight and bias.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Conv1d::new(2, 8, 3, Init::He, &mut wengert::rng(0)).padding(1);
    /// let tape = Tape::new();
    /// assert_eq!(layer.forward(&tape.constant(Tensor::ones([5, 2, 100]))).shape(), [5, 8, 100]);
    /// ```
    struct Conv1d;
    axes: 1,
    methods: [conv1d, conv1d_bias],
    weight: "`[out, in / groups, kernel]`.",
    transposed: false,
}

layer! {
    /// A two-dimensional convolution: [`Var::conv2d`] with weight and bias. LeCun et al. 1989.
    ///
    /// The weight has PyTorch's layout, so PyTorch checkpoints can be loaded. The bias is initialized to zeros.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Conv2d::new(3, 16, 5, Init::He, &mut wengert::rng(0)).stride(2).padding(2);
    /// let tape = Tape::new();
    /// assert_eq!(layer.forward(&tape.constant(Tensor::ones([8, 3, 32, 32]))).shape(), [8, 16, 16, 16]);
    /// ```
    #[doc(alias = "Convolution")]
    struct Conv2d;
    axes: 2,
    methods: [conv2d, conv2d_bias],
    weight: "`[out, in / groups, kernel height, kernel width]`.",
    transposed: false,
}

layer! {
    /// A one-dimensional transposed convolution: [`Var::conv_transpose1d`] with weight and bias.
    struct ConvTranspose1d;
    axes: 1,
    methods: [conv_transpose1d, conv_transpose1d_bias],
    weight: "`[in, out / groups, kernel]`.",
    transposed: true,
}

layer! {
    /// A two-dimensional transposed convolution: [`Var::conv_transpose2d`] with weight and bias.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = ConvTranspose2d::new(16, 3, 4, Init::He, &mut wengert::rng(0)).stride(2).padding(1);
    /// let tape = Tape::new();
    /// assert_eq!(layer.forward(&tape.constant(Tensor::ones([8, 16, 16, 16]))).shape(), [8, 3, 32, 32]);
    /// ```
    #[doc(alias("Deconvolution", "Conv2DTranspose", "deconv2d"))]
    struct ConvTranspose2d;
    axes: 2,
    methods: [conv_transpose2d, conv_transpose2d_bias],
    weight: "`[in, out / groups, kernel height, kernel width]`.",
    transposed: true,
}

impl<T: Float> ConvTranspose1d<T> {
    /// Sets the number of additional output elements at the end, less than the stride; see [`Conv::output_padding`].
    #[must_use]
    pub fn output_padding(self, output_padding: usize) -> Self {
        ConvTranspose1d { options: self.options.output_padding(output_padding), ..self }
    }
}

impl<T: Float> ConvTranspose2d<T> {
    /// Sets the number of additional output elements at the end of each axis, less than the stride; see
    /// [`Conv::output_padding`].
    #[must_use]
    pub fn output_padding(self, output_padding: impl PerAxis<2>) -> Self {
        ConvTranspose2d { options: self.options.output_padding(output_padding), ..self }
    }
}
