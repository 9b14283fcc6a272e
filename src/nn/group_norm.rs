//! Group and instance normalization: layers for images that do not depend on the batch.

use crate::autograd::{Param, Var};
use crate::panics::{self, check_option};
use crate::tensor::{Float, Tensor};

/// Group normalization of `[N, C]` or `[N, C, …]`, Wu and He 2018: `(x − mean)/√(variance + ε) · weight + bias` over each group
/// of channels.
///
/// Each sample is normalized separately, so the result does not depend on the batch size and is the same in training and
/// inference. As in PyTorch, the variance is the biased one, ε is added under the root, and weight and bias are per channel.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer = GroupNorm::new(2, 4);
/// let tape = Tape::new();
/// let y = layer.forward(&tape.constant([[1.0, 3.0, 10.0, 30.0]]));
/// assert_eq!(format!("{:.3}", y.value()), "[[-1.  1. -1.  1.]]");
/// ```
#[derive(Clone, Debug)]
pub struct GroupNorm<T: Float = f32> {
    /// The scale γ of each channel, `[C]`, initialized to ones.
    pub weight: Param<T>,
    /// The shift β of each channel, `[C]`, initialized to zeros.
    pub bias: Param<T>,
    groups: usize,
    epsilon: f64,
}
crate::module!(GroupNorm<T> { weight, bias; groups, epsilon });

impl<T: Float> GroupNorm<T> {
    /// Creates a layer for `channels` channels in `groups` groups, with ε = 1e-5.
    ///
    /// # Panics
    /// If the channels are not divisible by the groups.
    #[track_caller]
    #[inline(never)]
    pub fn new(groups: usize, channels: usize) -> Self {
        if groups == 0 || !channels.is_multiple_of(groups) {
            panics::groups(groups, channels, &[channels]);
        }
        let (weight, bias) = (Param::new(Tensor::ones([channels])), Param::new(Tensor::zeros([channels])));
        GroupNorm { weight, bias, groups, epsilon: 1e-5 }
    }

    /// Sets the ε added to the variance; 1e-5 by default.
    ///
    /// # Panics
    /// If ε is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn epsilon(self, epsilon: f64) -> Self {
        GroupNorm { epsilon: check_option("epsilon", epsilon, 0.0..), ..self }
    }

    /// Normalizes each sample.
    ///
    /// # Panics
    /// If axis 1 of `x` does not have the layer's number of channels.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        x.group_norm(self.groups, &self.weight, &self.bias, self.epsilon)
    }
}

/// Instance normalization of `[N, C, …]`, Ulyanov, Vedaldi and Lempitsky 2016: `(x − mean)/√(variance + ε)` over the
/// positions of each sample and channel, followed by a weight and a bias per channel if it is [affine](InstanceNorm::affine).
///
/// As by default in PyTorch, the variance is the biased one, ε is added under the root, and there are no running averages.
///
/// ```
/// use wengert::prelude::*;
///
/// let layer: InstanceNorm = InstanceNorm::new();
/// let tape = Tape::new();
/// let y = layer.forward(&tape.constant([[[1.0, 3.0], [10.0, 30.0]]]));
/// assert_eq!(format!("{:.3}", y.value()), "[[[-1.  1.]\n  [-1.  1.]]]");
/// ```
#[derive(Clone, Debug)]
pub struct InstanceNorm<T: Float = f32> {
    /// The scale γ of each channel, `[C]`, initialized to ones; `None` unless the layer is affine.
    pub weight: Option<Param<T>>,
    /// The shift β of each channel, `[C]`, initialized to zeros; `None` unless the layer is affine.
    pub bias: Option<Param<T>>,
    epsilon: f64,
}
crate::module!(InstanceNorm<T> { weight, bias; epsilon });

impl<T: Float> InstanceNorm<T> {
    /// Creates a layer without parameters, for any number of channels, with ε = 1e-5.
    #[doc(alias("InstanceNorm1d", "InstanceNorm2d"))]
    pub fn new() -> Self {
        InstanceNorm { weight: None, bias: None, epsilon: 1e-5 }
    }

    /// Creates an affine layer, with a weight and a bias for each of `channels` channels, and ε = 1e-5.
    pub fn affine(channels: usize) -> Self {
        let (weight, bias) = (Param::new(Tensor::ones([channels])), Param::new(Tensor::zeros([channels])));
        InstanceNorm { weight: Some(weight), bias: Some(bias), ..InstanceNorm::new() }
    }

    /// Sets the ε added to the variance; 1e-5 by default.
    ///
    /// # Panics
    /// If ε is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn epsilon(self, epsilon: f64) -> Self {
        InstanceNorm { epsilon: check_option("epsilon", epsilon, 0.0..), ..self }
    }

    /// Normalizes each channel of each sample.
    ///
    /// # Panics
    /// If a channel has fewer than two positions, or axis 1 of `x` does not have the number of channels of an affine layer.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        match (&self.weight, &self.bias) {
            (Some(weight), Some(bias)) => x.instance_norm(weight, bias, self.epsilon),
            _ => x.instance_norm(1.0, 0.0, self.epsilon),
        }
    }
}

impl<T: Float> Default for InstanceNorm<T> {
    fn default() -> Self {
        InstanceNorm::new()
    }
}
