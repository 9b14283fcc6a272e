//! The batch normalization layer.

use crate::autograd::gradients::BufferNote;
use crate::autograd::{Param, Var};
use crate::ops::BatchStatistics;
use crate::panics::{self, check_option};
use crate::tensor::{Float, Tensor};
use std::panic::Location;

/// Batch normalization of `[N, C]` or `[N, C, H, W]`, Ioffe and Szegedy 2015: `(x − mean)/√(variance + ε) · weight + bias`.
///
/// On a training tape, the batch is normalized by its own mean and biased variance, and the running averages are updated as
/// `average ← (1 − momentum) average + momentum · statistic`, with the unbiased variance. These are PyTorch's conventions; the
/// momentum of the book and of Chainer is 1 − this one. On any other tape the running averages are used. The forward pass does
/// not modify the layer: the new averages are stored with the gradients, and the optimizer's step applies them.
///
/// Channels that are the last axis are normalized as `norm.forward(&x.flatten(0, -2)).reshape(x.shape())`.
///
/// The running averages are updated only on training tapes, so a model trained on any other tape never learns them. A step
/// panics if its gradients come from a layer that still has its initial averages. Averages that were learned or loaded before
/// can be kept fixed this way.
///
/// ```
/// use wengert::prelude::*;
///
/// let mut layer = BatchNorm::new(2);
/// let x = tensor![[1.0, 10.0], [3.0, 30.0]];
/// let tape = Tape::training(&mut wengert::rng(0));
/// let y = layer.forward(&tape.constant(&x));
/// assert!((y.value()[[1, 0]] - 1.0).abs() < 1e-4); // mean 0, variance 1
///
/// Sgd::new(0.0).step(&mut layer, &y.sum().backward());
/// assert_eq!(format!("{:.3}", layer.running_mean.value()), "[0.2 2. ]"); // 0.9 · 0 + 0.1 · [2, 20]
/// ```
#[derive(Clone, Debug)]
pub struct BatchNorm<T: Float = f32> {
    /// The scale γ of each channel, `[C]`, initialized to ones.
    pub weight: Param<T>,
    /// The shift β of each channel, `[C]`, initialized to zeros.
    pub bias: Param<T>,
    /// The running mean, a buffer `[C]` initialized to zeros.
    pub running_mean: Param<T>,
    /// The running variance, a buffer `[C]` initialized to ones.
    pub running_var: Param<T>,
    /// The number of batches in the running averages, a scalar buffer.
    pub num_batches_tracked: Param<T>,
    momentum: f64,
    epsilon: f64,
}
crate::module!(BatchNorm<T> { weight, bias, running_mean, running_var, num_batches_tracked; momentum, epsilon });

impl<T: Float> BatchNorm<T> {
    /// Creates a layer for `channels` channels, with momentum 0.1 and ε = 1e-5.
    #[doc(alias("BatchNorm1d", "BatchNorm2d", "BatchNormalization"))]
    #[track_caller]
    #[inline(never)]
    pub fn new(channels: usize) -> Self {
        BatchNorm {
            weight: Param::new(Tensor::ones([channels])),
            bias: Param::new(Tensor::zeros([channels])),
            running_mean: Param::buffer(Tensor::zeros([channels])),
            running_var: Param::buffer(Tensor::ones([channels])),
            num_batches_tracked: Param::buffer(Tensor::zeros(())),
            momentum: 0.1,
            epsilon: 1e-5,
        }
    }

    /// Sets the weight of the batch statistics in the update of the running averages; 0.1 by default.
    ///
    /// # Panics
    /// If the momentum is not between 0 and 1.
    #[must_use]
    #[track_caller]
    pub fn momentum(self, momentum: f64) -> Self {
        BatchNorm { momentum: check_option("momentum", momentum, 0.0..=1.0), ..self }
    }

    /// Sets the ε added to the variance; 1e-5 by default.
    ///
    /// # Panics
    /// If ε is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn epsilon(self, epsilon: f64) -> Self {
        BatchNorm { epsilon: check_option("epsilon", epsilon, 0.0..), ..self }
    }

    /// Normalizes a batch.
    ///
    /// # Panics
    /// If axis 1 of `x` does not have the layer's number of channels, or a training batch has only one value per channel.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>) -> Var<T> {
        if x.shape().get(1) != self.weight.shape().first() {
            panics::not_per_channel("batch_norm", self.weight.shape(), x.shape());
        }
        if !x.tape().is_training() {
            if x.tape().records() && self.has_initial_statistics() {
                let (buffer, at) = (self.running_mean.id(), Location::caller());
                x.tape().note_buffer(BufferNote::ReadInitial { buffer, at });
            }
            let statistics =
                BatchStatistics::Given { mean: self.running_mean.value(), variance: self.running_var.value() };
            return x.batch_norm(&self.weight, &self.bias, statistics, self.epsilon).y;
        }
        let count = x.value().len() / self.weight.value().len().max(1);
        if count < 2 {
            panics::batch_of_one(x.shape());
        }
        let normalized = x.batch_norm(&self.weight, &self.bias, BatchStatistics::OfBatch, self.epsilon);
        let unbiased = count as f64 / (count as f64 - 1.0);
        let keep = 1.0 - self.momentum;
        x.tape().update_buffer(&self.running_mean, keep, normalized.mean * self.momentum);
        x.tape().update_buffer(&self.running_var, keep, normalized.variance * (unbiased * self.momentum));
        x.tape().update_buffer(&self.num_batches_tracked, 1.0, Tensor::scalar(1.0));
        normalized.y
    }

    /// Whether the running averages still have their initial values, changed by no batch and no checkpoint.
    fn has_initial_statistics(&self) -> bool {
        let is = |buffer: &Param<T>, initial: T| buffer.value().as_slice().iter().all(|&value| value == initial);
        is(&self.num_batches_tracked, T::ZERO) && is(&self.running_mean, T::ZERO) && is(&self.running_var, T::ONE)
    }
}
