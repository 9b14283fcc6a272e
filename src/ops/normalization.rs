//! Normalisation by the mean and variance of a batch, or by given ones.

use crate::autograd::{Operand, Var};
use crate::panics;
use crate::tensor::{Dims, Float, Tensor, keepdim};

/// What a batch normalisation normalises by.
pub enum BatchStatistics<'a, T: Float> {
    /// The mean and the biased variance of the batch itself, which are differentiated too.
    OfBatch,
    /// A constant mean and variance for each channel, such as running averages.
    Given {
        /// `[C]`.
        mean: &'a Tensor<T>,
        /// `[C]`.
        variance: &'a Tensor<T>,
    },
}

/// A normalised batch, and what it was normalised by.
pub struct BatchNormalized<T: Float> {
    /// `(x − mean)/√(variance + ε)`, times the weight, plus the bias; the shape of x.
    pub y: Var<T>,
    /// The mean of each channel, `[C]`.
    pub mean: Tensor<T>,
    /// The biased variance of each channel, `[C]`.
    pub variance: Tensor<T>,
}

impl<T: Float> Var<T> {
    /// Batch normalisation of `[N, C]` or `[N, C, …]`: `(x − mean)/√(variance + ε) · weight + bias` for each channel (axis 1).
    ///
    /// Ioffe and Szegedy 2015. ε is inside of the root, and the variance of the batch is the biased one. The layer is
    /// [`BatchNorm`](crate::nn::BatchNorm), which also keeps running averages.
    ///
    /// # Panics
    /// If there is no axis 1, or weight, bias or the given statistics are not `[C]`.
    #[track_caller]
    pub fn batch_norm(
        &self,
        weight: impl Operand<T>,
        bias: impl Operand<T>,
        statistics: BatchStatistics<T>,
        epsilon: f64,
    ) -> BatchNormalized<T> {
        let [_, channels, rest @ ..] = self.shape() else { panics::no_channels("batch_norm", self.shape()) };
        let channels = *channels;
        let per_channel: Dims = std::iter::once(channels).chain(rest.iter().map(|_| 1)).collect();
        let axes: Dims = std::iter::once(0).chain(2..self.shape().len()).collect();
        let (centred, variance, mean) = match statistics {
            BatchStatistics::OfBatch => {
                let mean = self.mean_over(keepdim(axes.as_slice()));
                let centred = self - &mean;
                let variance = centred.square().mean_over(keepdim(axes.as_slice()));
                (centred, variance, mean.value().clone())
            }
            BatchStatistics::Given { mean, variance } => {
                for given in [mean, variance] {
                    if given.shape() != [channels] {
                        panics::not_per_channel("batch_norm", given.shape(), self.shape());
                    }
                }
                let variance = self.constant(variance.with_shape(per_channel.clone()));
                (self - mean.with_shape(per_channel.clone()), variance, mean.clone())
            }
        };
        let (weight, bias) = (self.per_channel(weight, &per_channel), self.per_channel(bias, &per_channel));
        let y = centred * (&variance + epsilon).rsqrt() * weight + bias;
        let flat = Dims::from_slice(&[channels]);
        BatchNormalized { y, mean: mean.with_shape(flat.clone()), variance: variance.value().with_shape(flat) }
    }

    /// A value for each channel in the given shape, which broadcasts to this; a number stays a number.
    #[track_caller]
    fn per_channel(&self, given: impl Operand<T>, shape: &Dims) -> Var<T> {
        let given = given.resolve(self.tape()).into_var(self.tape());
        match given.shape() {
            [] => given.into_owned(),
            [channels] if *channels == self.shape()[1] => given.with_shape(shape.clone()),
            other => panics::not_per_channel("batch_norm", other, self.shape()),
        }
    }
}
