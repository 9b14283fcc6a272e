//! Convolution layers.

use super::Init;
use crate::autograd::{Param, Var};
use crate::ops::{Conv, PerAxis};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use rand::Rng;

/// Declares a convolution layer: its name, axes, the methods of variables without and with a bias, the shape of the weight, and whether that has the inputs in front.
macro_rules! layer {
    ($(#[$meta:meta])* $name:ident, $axes:literal, $method:ident, $method_bias:ident, $weight:literal, transposed: $transposed:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name<T: Float = f32> {
            #[doc = $weight]
            pub weight: Param<T>,
            /// `[out]`, unless the layer has none.
            pub bias: Option<Param<T>>,
            /// Stride, padding and the like.
            pub options: Conv<$axes>,
        }
        crate::module!($name<T> { weight, bias; options });

        impl<T: Float> $name<T> {
            /// A layer from `inputs` channels to `outputs`, with a bias of zeros.
            ///
            /// # Panics
            /// If a size of the kernel is 0.
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

            /// A layer without a bias, as before a normalisation.
            ///
            /// # Panics
            /// If a size of the kernel is 0.
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

            /// A layer whose channels are cut into groups that do not see each other, with a bias of zeros.
            ///
            /// # Panics
            /// If the groups do not divide the channels, or a size of the kernel is 0.
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

            /// The step from one window to the next; 1 unless it is said here.
            ///
            /// # Panics
            /// If it is 0.
            #[must_use]
            #[track_caller]
            pub fn stride(self, stride: impl PerAxis<$axes>) -> Self {
                $name { options: self.options.stride(stride), ..self }
            }

            /// Zeros on each side of the image, or what a transposed convolution takes away there.
            #[must_use]
            pub fn padding(self, padding: impl PerAxis<$axes>) -> Self {
                $name { options: self.options.padding(padding), ..self }
            }

            /// The step from one element under the kernel to the next.
            ///
            /// # Panics
            /// If it is 0.
            #[must_use]
            #[track_caller]
            pub fn dilation(self, dilation: impl PerAxis<$axes>) -> Self {
                $name { options: self.options.dilation(dilation), ..self }
            }

            /// The convolution, as the method of variables describes it.
            ///
            /// # Panics
            /// If the shapes do not fit.
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

/// An initial weight `[out, in / groups, kernel …]`, or `[in, out / groups, kernel …]` for a transposed convolution.
///
/// Its scale is that of the first shape in both cases: an output is the sum of in / groups · kernel products.
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

/// An initial bias.
#[inline(never)]
pub(super) fn zeros<T: Float>(outputs: usize) -> Param<T> {
    Param::new(Tensor::zeros([outputs]))
}

layer! {
    /// A convolution along one axis: [`Var::conv1d`] with its weight and bias.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Conv1d::new(2, 8, 3, Init::He, &mut wengert::rng(0)).padding(1);
    /// let tape = Tape::new();
    /// assert_eq!(layer.forward(&tape.constant(Tensor::ones([5, 2, 100]))).shape(), [5, 8, 100]);
    /// ```
    Conv1d, 1, conv1d, conv1d_bias, "`[out, in / groups, kernel]`.", transposed: false
}

layer! {
    /// A convolution of images: [`Var::conv2d`] with its weight and bias. LeCun et al. 1989.
    ///
    /// Weights are in PyTorch's order, so its checkpoints fit. The bias begins at 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Conv2d::new(3, 16, 5, Init::He, &mut wengert::rng(0)).stride(2).padding(2);
    /// let tape = Tape::new();
    /// assert_eq!(layer.forward(&tape.constant(Tensor::ones([8, 3, 32, 32]))).shape(), [8, 16, 16, 16]);
    /// ```
    Conv2d, 2, conv2d, conv2d_bias, "`[out, in / groups, kernel height, kernel width]`.", transposed: false
}

layer! {
    /// A transposed convolution along one axis: [`Var::conv_transpose1d`] with its weight and bias.
    ConvTranspose1d, 1, conv_transpose1d, conv_transpose1d_bias, "`[in, out / groups, kernel]`.", transposed: true
}

layer! {
    /// A transposed convolution of images: [`Var::conv_transpose2d`] with its weight and bias.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = ConvTranspose2d::new(16, 3, 4, Init::He, &mut wengert::rng(0)).stride(2).padding(1);
    /// let tape = Tape::new();
    /// assert_eq!(layer.forward(&tape.constant(Tensor::ones([8, 16, 16, 16]))).shape(), [8, 3, 32, 32]);
    /// ```
    ConvTranspose2d, 2, conv_transpose2d, conv_transpose2d_bias, "`[in, out / groups, kernel height, kernel width]`.", transposed: true
}

impl<T: Float> ConvTranspose1d<T> {
    /// Further elements at the end, fewer than the stride: see [`Conv::output_padding`].
    #[must_use]
    pub fn output_padding(self, output_padding: usize) -> Self {
        ConvTranspose1d { options: self.options.output_padding(output_padding), ..self }
    }
}

impl<T: Float> ConvTranspose2d<T> {
    /// Further elements at the end of each axis, fewer than the stride: see [`Conv::output_padding`].
    #[must_use]
    pub fn output_padding(self, output_padding: impl PerAxis<2>) -> Self {
        ConvTranspose2d { options: self.options.output_padding(output_padding), ..self }
    }
}
