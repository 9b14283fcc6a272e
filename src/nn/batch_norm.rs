//! The batch normalization layer.

use crate::autograd::gradients::BufferNote;
use crate::autograd::{Param, Var};
use crate::ops::BatchStatistics;
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::panic::Location;

/// Batch normalisation of `[N, C]` or `[N, C, H, W]`, Ioffe and Szegedy 2015: `(x − mean)/√(variance + ε) · weight + bias`.
///
/// On a training tape mean and biased variance are those of the batch, and the running averages move towards them by the
/// share `momentum`, the variance in its unbiased form: PyTorch's conventions (the book's and Chainer's momentum is
/// 1 − this one). On any other tape the running averages are used. The forward pass changes nothing: the new averages travel with the
/// gradients, and the optimizer's step puts them in place.
///
/// A tape that is not for training changes no averages, so a model that is trained on one never learns them. A step panics if
/// its gradients come from a layer whose averages are still those of a new one; averages that were learned or loaded before
/// may be kept fixed that way.
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
/// assert_eq!(format!("{:.3}", layer.running_mean.value()), "[0.2 2. ]"); // a tenth of the way from 0 to [2, 20]
/// ```
#[derive(Clone, Debug)]
pub struct BatchNorm<T: Float = f32> {
    /// The scale γ of each channel, `[C]`, ones at first.
    pub weight: Param<T>,
    /// The shift β of each channel, `[C]`, zeros at first.
    pub bias: Param<T>,
    /// A buffer, `[C]`, zeros at first.
    pub running_mean: Param<T>,
    /// A buffer, `[C]`, ones at first.
    pub running_var: Param<T>,
    /// A buffer without axes: how many batches the averages have seen.
    pub num_batches_tracked: Param<T>,
    momentum: f64,
    epsilon: f64,
}
crate::module!(BatchNorm<T> { weight, bias, running_mean, running_var, num_batches_tracked; momentum, epsilon });

impl<T: Float> BatchNorm<T> {
    /// A layer for `channels` channels, with momentum 0.1 and ε = 1e-5.
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

    /// The share by which the running averages move towards those of a batch.
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        BatchNorm { momentum, ..self }
    }

    /// What is added to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        BatchNorm { epsilon, ..self }
    }

    /// Normalises a batch.
    ///
    /// # Panics
    /// If axis 1 of `x` does not have the size of the layer, or a training batch has one value for each channel only.
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
    /// Whether the running averages are those of a new layer, which no batch and no file has changed.
    fn has_initial_statistics(&self) -> bool {
        let is = |buffer: &Param<T>, initial: T| buffer.value().as_slice().iter().all(|&value| value == initial);
        is(&self.num_batches_tracked, T::ZERO) && is(&self.running_mean, T::ZERO) && is(&self.running_var, T::ONE)
    }
}
