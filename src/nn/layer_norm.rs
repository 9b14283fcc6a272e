//! Normalisation over the trailing axes: the layers for sequences.

use crate::autograd::{Param, Var};
use crate::tensor::{Dims, Float, IntoShape, Tensor, resolve_shape};

/// Layer normalisation over the trailing axes, Ba, Kiros and Hinton 2016: `(x − mean)/√(variance + ε) · weight + bias`.
///
/// Each sample is normalised by itself, so training and prediction do the same. The variance is the biased one, ε is inside of the
/// root, and weight and bias have the shape that is normalised over: PyTorch's conventions. To normalise without weight and
/// bias use [`Var::layer_norm`] itself.
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
    /// The scale γ of each element that is normalised, ones at first.
    pub weight: Param<T>,
    /// The shift β of each element that is normalised, zeros at first, unless the layer has none.
    pub bias: Option<Param<T>>,
    epsilon: f64,
}
crate::module!(LayerNorm<T> { weight, bias; epsilon });

impl<T: Float> LayerNorm<T> {
    /// A layer for trailing axes of the given shape, such as the number of features, with ε = 1e-5.
    pub fn new(normalized_shape: impl IntoShape) -> Self {
        LayerNorm::create(resolve_shape("LayerNorm", normalized_shape, None), true)
    }

    /// A layer that scales but does not shift.
    pub fn without_bias(normalized_shape: impl IntoShape) -> Self {
        LayerNorm::create(resolve_shape("LayerNorm", normalized_shape, None), false)
    }

    #[inline(never)]
    pub(super) fn create(shape: Dims, bias: bool) -> Self {
        let bias = bias.then(|| Param::new(Tensor::zeros(shape.as_slice())));
        LayerNorm { weight: Param::new(Tensor::ones(shape.as_slice())), bias, epsilon: 1e-5 }
    }

    /// What is added to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        LayerNorm { epsilon, ..self }
    }

    /// Normalises each sample.
    ///
    /// # Panics
    /// If the shape of `x` does not end with the one that the layer was made for.
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

/// Root-mean-square normalisation over the trailing axes, Zhang and Sennrich 2019: `x/√(mean x² + ε) · weight`.
///
/// Layer normalisation without the mean and the bias. ε is inside of the root; its default is that of the other layers here
/// (PyTorch's is the machine epsilon of the precision).
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
    /// The scale γ of each element that is normalised, ones at first.
    pub weight: Param<T>,
    epsilon: f64,
}
crate::module!(RmsNorm<T> { weight; epsilon });

impl<T: Float> RmsNorm<T> {
    /// A layer for trailing axes of the given shape, with ε = 1e-5.
    pub fn new(normalized_shape: impl IntoShape) -> Self {
        RmsNorm { weight: Param::new(Tensor::ones(normalized_shape)), epsilon: 1e-5 }
    }

    /// What is added to the mean square.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        RmsNorm { epsilon, ..self }
    }

    /// Normalises each sample.
    ///
    /// # Panics
    /// If the shape of `x` does not end with the one that the layer was made for.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        x.rms_norm(self.weight.shape(), &self.weight, self.epsilon)
    }
}
