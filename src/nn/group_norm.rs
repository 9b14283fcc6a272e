//! Normalisation of each sample over its positions: the layers for images that do not need a batch.

use crate::autograd::{Param, Var};
use crate::panics;
use crate::tensor::{Float, Tensor};

/// Group normalisation of `[N, C]` or `[N, C, …]`, Wu and He 2018: `(x − mean)/√(variance + ε) · weight + bias` over each group of channels.
///
/// Each sample is normalised by itself, so the size of the batch does not matter, and training and prediction do the same. The
/// variance is the biased one, ε is inside of the root, weight and bias are one for each channel: PyTorch's conventions.
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
    /// The scale γ of each channel, `[C]`, ones at first.
    pub weight: Param<T>,
    /// The shift β of each channel, `[C]`, zeros at first.
    pub bias: Param<T>,
    groups: usize,
    epsilon: f64,
}
crate::module!(GroupNorm<T> { weight, bias; groups, epsilon });

impl<T: Float> GroupNorm<T> {
    /// A layer for `channels` channels in `groups` groups, with ε = 1e-5.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    #[track_caller]
    #[inline(never)]
    pub fn new(groups: usize, channels: usize) -> Self {
        if groups == 0 || !channels.is_multiple_of(groups) {
            panics::groups(groups, channels, &[channels]);
        }
        let (weight, bias) = (Param::new(Tensor::ones([channels])), Param::new(Tensor::zeros([channels])));
        GroupNorm { weight, bias, groups, epsilon: 1e-5 }
    }

    /// What is added to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        GroupNorm { epsilon, ..self }
    }

    /// Normalises each sample.
    ///
    /// # Panics
    /// If axis 1 of `x` does not have the size of the layer.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        x.group_norm(self.groups, &self.weight, &self.bias, self.epsilon)
    }
}

/// Instance normalisation of `[N, C, …]`, Ulyanov, Vedaldi and Lempitsky 2016: `(x − mean)/√(variance + ε)` over the positions of each
/// sample and channel, with a weight and a bias for each channel if it is [affine](InstanceNorm::affine).
///
/// The variance is the biased one, ε is inside of the root, and there are no running averages: PyTorch's defaults.
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
    /// The scale γ and the shift β of each channel, `[C]` both, ones and zeros at first, if the layer is affine.
    pub weight: Option<Param<T>>,
    /// See `weight`.
    pub bias: Option<Param<T>>,
    epsilon: f64,
}
crate::module!(InstanceNorm<T> { weight, bias; epsilon });

impl<T: Float> InstanceNorm<T> {
    /// A layer without parameters, for any number of channels, with ε = 1e-5.
    pub fn new() -> Self {
        InstanceNorm { weight: None, bias: None, epsilon: 1e-5 }
    }

    /// A layer with a weight and a bias for each of `channels` channels, with ε = 1e-5.
    pub fn linear(channels: usize) -> Self {
        let (weight, bias) = (Param::new(Tensor::ones([channels])), Param::new(Tensor::zeros([channels])));
        InstanceNorm { weight: Some(weight), bias: Some(bias), ..InstanceNorm::new() }
    }

    /// What is added to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        InstanceNorm { epsilon, ..self }
    }

    /// Normalises each channel of each sample.
    ///
    /// # Panics
    /// If a channel has less than two positions, or axis 1 of `x` does not have the size of an affine layer.
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
