//! The affine layer.

use super::Init;
use crate::autograd::{Param, Var};
use crate::tensor::{Float, Tensor};
use rand::Rng;

/// An affine map of the last axis, `y = x Wᵀ + b`: the Affine layer of the book.
///
/// The weight is `[out, in]`, PyTorch's order, so its checkpoints fit; the book's `W` is the transpose. The bias begins at 0.
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
    /// `[out]`, unless the layer has none.
    pub bias: Option<Param<T>>,
}
crate::module!(Linear<T> { weight, bias });

impl<T: Float> Linear<T> {
    /// A layer with a bias of zeros.
    pub fn new(inputs: usize, outputs: usize, init: Init, rng: &mut impl Rng) -> Self {
        Linear::create(inputs, outputs, true, init, rng)
    }

    /// A layer without a bias, as before a normalisation.
    pub fn without_bias(inputs: usize, outputs: usize, init: Init, rng: &mut impl Rng) -> Self {
        Linear::create(inputs, outputs, false, init, rng)
    }

    #[inline(never)]
    pub(super) fn create(inputs: usize, outputs: usize, bias: bool, init: Init, rng: &mut dyn Rng) -> Self {
        let weight = Param::new(init.sample(&[outputs, inputs], rng));
        Linear { weight, bias: bias.then(|| Param::new(Tensor::zeros([outputs]))) }
    }

    /// The map of `[…, in]` to `[…, out]`.
    ///
    /// # Panics
    /// If the last axis of `x` does not have the size of the layer's inputs.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        match &self.bias {
            Some(bias) => x.linear_bias(&self.weight, bias),
            None => x.linear(&self.weight),
        }
    }
}
