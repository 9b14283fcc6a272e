//! The linear (fully connected) layer.

use super::Init;
use crate::autograd::{Param, Var};
use crate::tensor::{Float, Tensor};
use rand::Rng;

/// An affine map of the last axis, `y = x Wᵀ + b`: the book's Affine layer.
///
/// The weight is `[out, in]`, PyTorch's layout, so PyTorch checkpoints can be loaded; the book's `W` is its transpose. The bias
/// is initialized to zeros.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = Linear::new(3, 2, Init::Xavier, &mut wengert::rng(0));
/// let tape = Tape::new();
/// let y = layer.forward(&tape.constant(Tensor::ones([5, 3])));
/// assert_eq!(y.shape(), [5, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct Linear<T: Float = f32> {
    /// `[out, in]`.
    pub weight: Param<T>,
    /// `[out]`; `None` for a layer without a bias.
    pub bias: Option<Param<T>>,
}
crate::module!(Linear<T> { weight, bias });

impl<T: Float> Linear<T> {
    /// Creates a layer with a bias of zeros.
    #[doc(alias("Affine", "Dense", "FullyConnected", "TimeAffine"))]
    #[track_caller]
    pub fn new(inputs: usize, outputs: usize, init: Init, rng: &mut impl Rng) -> Self {
        Linear::create(inputs, outputs, true, init, rng)
    }

    /// Creates a layer without a bias, as used before a normalization.
    #[track_caller]
    pub fn without_bias(inputs: usize, outputs: usize, init: Init, rng: &mut impl Rng) -> Self {
        Linear::create(inputs, outputs, false, init, rng)
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn create(inputs: usize, outputs: usize, bias: bool, init: Init, rng: &mut dyn Rng) -> Self {
        let weight = Param::new(init.sample(&[outputs, inputs], rng));
        // Not by `then`: a closure would hide the caller's line.
        let bias = if bias { Some(Param::new(Tensor::zeros([outputs]))) } else { None };
        Linear { weight, bias }
    }

    /// Maps `[…, in]` to `[…, out]`.
    ///
    /// # Panics
    /// If the size of the last axis of `x` is not the layer's number of inputs.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        match &self.bias {
            Some(bias) => x.linear_bias(&self.weight, bias),
            None => x.linear(&self.weight),
        }
    }
}
