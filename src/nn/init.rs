//! Weight initialization.

use crate::panics::{self, check_option};
use crate::tensor::{Float, IntoShape, Tensor, resolve_shape};
use rand::Rng;

/// A weight initialization scheme. Weights have the shape `[out, in, kernel …]`; the fan-in is `in · kernel`, the fan-out
/// `out · kernel`.
///
/// ```
/// use wengert::prelude::*;
///
/// let weight: Tensor = Init::He.tensor([100, 400], &mut wengert::rng(0));
/// let std = weight.map(|w| w * w).mean().item().sqrt();
/// assert!((std - (2.0f32 / 400.0).sqrt()).abs() < 1e-3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// Normal with variance 2/fan-in: preserves the variance of activations through ReLU layers. He et al. 2015, PyTorch's
    /// `kaiming_normal_`.
    #[doc(alias("kaiming_normal_", "he_normal"))]
    He,
    /// Uniform with the variance of [`Init::He`].
    #[doc(alias("kaiming_uniform_", "he_uniform"))]
    HeUniform,
    /// Normal with variance 2/(fan-in + fan-out): for tanh and sigmoid. Glorot and Bengio 2010.
    #[doc(alias("xavier_normal_", "glorot_normal"))]
    Xavier,
    /// Uniform with the variance of [`Init::Xavier`].
    #[doc(alias("xavier_uniform_", "glorot_uniform"))]
    XavierUniform,
    /// Normal with variance 1/fan-in: for SELU and linear layers. LeCun et al. 1998.
    #[doc(alias = "lecun_normal")]
    LeCun,
    /// Uniform with the variance of [`Init::LeCun`].
    LeCunUniform,
    /// A constant value.
    Constant(f64),
    /// Normal with the given standard deviation.
    Normal(f64),
    /// Uniform in `[−bound, bound]` for the given bound.
    Uniform(f64),
    /// Standard deviation `gain/√fan`: the general form of the named schemes.
    Scaled {
        /// The gain of the nonlinearity that follows; see [`Nonlinearity::gain`].
        gain: f64,
        /// The fan: whether the variance of activations, of gradients, or a compromise is preserved.
        fan: Fan,
        /// Whether to sample from a uniform instead of a normal distribution.
        uniform: bool,
    },
}

/// The number of connections by which the variance of a weight is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fan {
    /// The fan-in, the inputs of an output: preserves the variance of activations.
    In,
    /// The fan-out, the outputs of an input: preserves the variance of gradients.
    Out,
    /// The mean of fan-in and fan-out.
    Average,
}

/// The nonlinearity after a layer, which determines the gain of its initial weights.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Nonlinearity {
    /// No nonlinearity.
    Linear,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// Rectified linear units.
    Relu,
    /// Leaky rectified linear units with the given slope.
    LeakyRelu(f64),
    /// Scaled exponential linear units.
    Selu,
}

impl Nonlinearity {
    /// The scale factor of the weights relative to a layer without nonlinearity, as in PyTorch's `calculate_gain`:
    /// 1, 1, 5/3, √2, √(2/(1 + slope²)) and 3/4.
    #[doc(alias = "calculate_gain")]
    pub fn gain(self) -> f64 {
        match self {
            Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
            Nonlinearity::Tanh => 5.0 / 3.0,
            Nonlinearity::Relu => 2f64.sqrt(),
            Nonlinearity::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Nonlinearity::Selu => 0.75,
        }
    }
}

/// The distribution of an [`Init`] for a given shape.
enum Distribution {
    Constant(f64),
    Normal { std: f64 },
    Uniform { bound: f64 },
}

impl Init {
    /// Samples initial weights of the given shape.
    ///
    /// # Panics
    /// If the scheme depends on fans and the shape has fewer than two axes, or one of its numbers is negative or not finite.
    #[track_caller]
    pub fn tensor<T: Float>(self, shape: impl IntoShape, rng: &mut impl Rng) -> Tensor<T> {
        self.sample(&resolve_shape("Init", shape, None), rng)
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn sample<T: Float>(self, shape: &[usize], mut rng: &mut dyn Rng) -> Tensor<T> {
        match self.distribution(shape) {
            Distribution::Constant(value) => Tensor::full(shape, value),
            Distribution::Normal { std } => Tensor::randn(shape, &mut rng) * std,
            Distribution::Uniform { bound } => Tensor::uniform(shape, -bound, bound, &mut rng),
        }
    }

    /// The standard deviation of initial weights of the given shape.
    ///
    /// # Panics
    /// If the scheme depends on fans and the shape has fewer than two axes, or one of its numbers is negative or not finite.
    #[track_caller]
    pub fn std(self, shape: impl IntoShape) -> f64 {
        match self.distribution(&resolve_shape("Init", shape, None)) {
            Distribution::Constant(_) => 0.0,
            Distribution::Normal { std } => std,
            Distribution::Uniform { bound } => bound / 3f64.sqrt(),
        }
    }

    #[track_caller]
    fn distribution(self, shape: &[usize]) -> Distribution {
        let (gain, fan, uniform) = match self {
            Init::Constant(value) => return Distribution::Constant(value),
            Init::Normal(std) => return Distribution::Normal { std: check_option("Init::Normal", std, 0.0..) },
            Init::Uniform(bound) => {
                return Distribution::Uniform { bound: check_option("Init::Uniform", bound, 0.0..) };
            }
            Init::He => (2f64.sqrt(), Fan::In, false),
            Init::HeUniform => (2f64.sqrt(), Fan::In, true),
            Init::Xavier => (1.0, Fan::Average, false),
            Init::XavierUniform => (1.0, Fan::Average, true),
            Init::LeCun => (1.0, Fan::In, false),
            Init::LeCunUniform => (1.0, Fan::In, true),
            Init::Scaled { gain, fan, uniform } => (check_option("Init::Scaled: gain", gain, 0.0..), fan, uniform),
        };
        let [outputs, inputs, kernel @ ..] = shape else { panics::fans(shape) };
        let kernel = kernel.iter().map(|&size| size as f64).product::<f64>();
        let (fan_in, fan_out) = (*inputs as f64 * kernel, *outputs as f64 * kernel);
        let connections = match fan {
            Fan::In => fan_in,
            Fan::Out => fan_out,
            Fan::Average => (fan_in + fan_out) / 2.0,
        };
        // A shape with a size of 0 may have no connections.
        let std = gain / connections.max(1.0).sqrt();
        if uniform { Distribution::Uniform { bound: 3f64.sqrt() * std } } else { Distribution::Normal { std } }
    }
}
