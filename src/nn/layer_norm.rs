//! Normalization over the trailing axes: layers for sequences.

use crate::autograd::{Param, Var};
use crate::panics::check_option;
use crate::tensor::{Dims, Float, IntoShape, Tensor, resolve_shape};

/// Layer normalization over the trailing axes, Ba, Kiros and Hinton 2016: `(x − mean)/√(variance + ε) · weight + bias`.
///
/// Each sample is normalized separately, so training and inference give the same result. As in PyTorch, the variance is the
/// biased one, ε is added under the root, and weight and bias have the normalized shape. For normalization without weight and
/// bias, call [`Var::layer_norm`] directly.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = LayerNorm::new([2]);
/// let tape = Tape::new();
/// let y = layer.forward(&tape.constant([[1.0, 3.0], [10.0, 30.0]]));
/// assert_eq!(format!("{:.3}", y.value()), "[[-1.  1.]\n [-1.  1.]]");
/// ```
#[derive(Clone, Debug)]
pub struct LayerNorm<T: Float = f32> {
    /// The scale γ, of the normalized shape, initialized to ones.
    pub weight: Param<T>,
    /// The shift β, of the normalized shape, initialized to zeros; `None` for a layer without a bias.
    pub bias: Option<Param<T>>,
    epsilon: f64,
}
crate::module!(LayerNorm<T> { weight, bias; epsilon });

impl<T: Float> LayerNorm<T> {
    /// Creates a layer for trailing axes of the given shape, such as the number of features, with ε = 1e-5.
    #[doc(alias = "LayerNormalization")]
    #[track_caller]
    pub fn new(normalized_shape: impl IntoShape) -> Self {
        LayerNorm::create(resolve_shape("LayerNorm", normalized_shape, None), true)
    }

    /// Creates a layer with a weight but no bias.
    #[track_caller]
    pub fn without_bias(normalized_shape: impl IntoShape) -> Self {
        LayerNorm::create(resolve_shape("LayerNorm", normalized_shape, None), false)
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn create(shape: Dims, bias: bool) -> Self {
        let weight = Param::new(Tensor::ones(shape.as_slice()));
        // Not by `then`: a closure would hide the caller's line.
        let bias = if bias { Some(Param::new(Tensor::zeros(shape.as_slice()))) } else { None };
        LayerNorm { weight, bias, epsilon: 1e-5 }
    }

    /// Sets the ε added to the variance; 1e-5 by default.
    ///
    /// # Panics
    /// If ε is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn epsilon(self, epsilon: f64) -> Self {
        LayerNorm { epsilon: check_option("epsilon", epsilon, 0.0..), ..self }
    }

    /// Normalizes each sample.
    ///
    /// # Panics
    /// If the shape of `x` does not end with the normalized shape of the layer.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        let shape = self.weight.shape();
        match &self.bias {
            Some(bias) => x.layer_norm(shape, &self.weight, bias, self.epsilon),
            None => x.layer_norm(shape, &self.weight, 0.0, self.epsilon),
        }
    }
}

/// Root-mean-square normalization over the trailing axes, Zhang and Sennrich 2019: `x/√(mean x² + ε) · weight`.
///
/// Layer normalization without the mean and the bias. ε is added under the root; its default is the same as for the other
/// normalization layers here (PyTorch uses the machine epsilon of the element type).
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = RmsNorm::new([2]);
/// let tape = Tape::new();
/// let y = layer.forward(&tape.constant([[3.0, 3.0], [-5.0, 5.0]]));
/// assert_eq!(format!("{:.3}", y.value()), "[[ 1.  1.]\n [-1.  1.]]");
/// ```
#[derive(Clone, Debug)]
pub struct RmsNorm<T: Float = f32> {
    /// The scale γ, of the normalized shape, initialized to ones.
    pub weight: Param<T>,
    epsilon: f64,
}
crate::module!(RmsNorm<T> { weight; epsilon });

impl<T: Float> RmsNorm<T> {
    /// Creates a layer for trailing axes of the given shape, with ε = 1e-5.
    #[track_caller]
    pub fn new(normalized_shape: impl IntoShape) -> Self {
        RmsNorm { weight: Param::new(Tensor::ones(normalized_shape)), epsilon: 1e-5 }
    }

    /// Sets the ε added to the mean square; 1e-5 by default.
    ///
    /// # Panics
    /// If ε is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn epsilon(self, epsilon: f64) -> Self {
        RmsNorm { epsilon: check_option("epsilon", epsilon, 0.0..), ..self }
    }

    /// Normalizes each sample.
    ///
    /// # Panics
    /// If the shape of `x` does not end with the normalized shape of the layer.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        x.rms_norm(self.weight.shape(), &self.weight, self.epsilon)
    }
}
