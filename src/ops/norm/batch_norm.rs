//! Batch normalization, by the statistics of the batch or by given ones.
//!
//! The operations take the statistics of each channel, and the sums that the gradient needs, as constant inputs. They are only a
//! cache: the rules differentiate them as functions of x, so no gradient flows to these inputs.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::kernel::norm::batch_norm::{self, Channels};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Dims, Float, Tensor, element_count};
use std::cell::LazyCell;

/// The settings of a batch normalization.
#[derive(Clone, Copy)]
struct Normalization {
    channels: Channels,
    /// Whether the statistics are those of x, which is not empty; otherwise they are constants.
    of_batch: bool,
}

impl Normalization {
    fn describe(&self, description: &mut Description) {
        description.number("epsilon", self.channels.epsilon).flag("of_batch", self.of_batch);
    }
}

/// `y = x̂ w + b`, where `x̂ = (x − mean) s` with `s = 1/√(variance + ε)`.
pub(crate) struct BatchNorm(Normalization);

impl<T: Float> Op<T, 4> for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [x, weight, bias, statistics]: [&Tensor<T>; 4]) -> Tensor<T> {
        let values = [weight, bias, statistics].map(Tensor::as_slice);
        Tensor::build(x.dims(), |y| batch_norm::normalize(&self.0.channels, x.as_slice(), values, y))
    }
    fn backward(&self, saved: &Saved<T, 4>, gy: &Var<T>) -> [Option<Var<T>>; 4] {
        let [x, weight, _, statistics] = saved.inputs();
        let sums = LazyCell::new(|| self.0.sums(&x, gy, &statistics));
        [
            saved.needs(0).then(|| self.0.gradient(&x, &weight, gy, &statistics, || sums.clone())),
            saved.needs(1).then(|| sums.select(0, 1)),
            saved.needs(2).then(|| sums.select(0, 0)),
            None,
        ]
    }
}

/// The sums `[2, C]` of g and of `g x̂` over each channel: the gradients with respect to the bias and the weight.
///
/// For a cotangent (v₀, v₁), `gg = x̂ v₁ + v₀` is a normalization with the weight v₁ and the bias v₀, and gx is the gradient of that.
pub(crate) struct BatchNormSums(Normalization);

impl<T: Float> Op<T, 3> for BatchNormSums {
    const NAME: &'static str = "batch_norm_sums";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [x, g, statistics]: [&Tensor<T>; 3]) -> Tensor<T> {
        let channels = &self.0.channels;
        Tensor::build(Dims::from_slice(&[2, channels.count]), |sums| {
            batch_norm::weighted_sums(channels, x.as_slice(), g.as_slice(), statistics.as_slice(), sums);
        })
    }
    fn backward(&self, saved: &Saved<T, 3>, v: &Var<T>) -> [Option<Var<T>>; 3] {
        let [x, g, statistics] = saved.inputs();
        let (bias, weight) = (v.select(0, 0), v.select(0, 1));
        [
            saved.needs(0).then(|| self.0.gradient(&x, &weight, &g, &statistics, || self.0.sums(&x, &g, &statistics))),
            saved.needs(1).then(|| self.0.normalize(&x, &weight, &bias, &statistics)),
            None,
        ]
    }
}

/// The gradient of the normalization with respect to x, `gx = w F(gy)` for `F(g) = s (g − mean g − x̂ mean(g x̂))`.
///
/// F is linear and self-adjoint. With n elements per channel and `q = mean(u g) − mean u mean g − mean(u x̂) mean(g x̂)`, the
/// gradient of ⟨u, F(g)⟩ with respect to x is `−s² x̂ q − s (mean(g x̂) F(u) + mean(u x̂) F(g))`, and its value is `n s q`.
pub(crate) struct BatchNormGradient(Normalization);

impl<T: Float> Op<T, 5> for BatchNormGradient {
    const NAME: &'static str = "batch_norm_gradient";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        self.0.describe(description);
    }

    fn forward(&mut self, [x, weight, gy, sums, statistics]: [&Tensor<T>; 5]) -> Tensor<T> {
        let values = [weight, sums, statistics].map(Tensor::as_slice);
        Tensor::build(x.dims(), |gx| {
            batch_norm::gradient(&self.0.channels, [x.as_slice(), gy.as_slice()], values, gx);
        })
    }
    fn backward(&self, saved: &Saved<T, 5>, u: &Var<T>) -> [Option<Var<T>>; 5] {
        let [x, weight, gy, _, statistics] = saved.inputs();
        let Normalization { channels, .. } = &self.0;
        let n = channels.elements(x.value().len()) as f64;
        let sums = |g: &Var<T>| self.0.sums(&x, g, &statistics);
        let (of_u, of_gy) = (sums(u), sums(&gy));
        let products = sums(&(u * &gy)).select(0, 0);
        let q = (products - (&of_u * &of_gy).sum_over(0) / n) / n;
        let axes: Dims = std::iter::once(0).chain(2..x.shape().len()).collect();
        let s = (x.var_over(axes.as_slice(), 0.0) + channels.epsilon).rsqrt();
        let gradient =
            |weight: &Var<T>, g: &Var<T>, sums: &Var<T>| self.0.gradient(&x, weight, g, &statistics, || sums.clone());
        let gx = || {
            let scaled = &s * &weight;
            let along = |sums: &Var<T>| -(&scaled * sums.select(0, 1) / n);
            let zeros = x.constant(Tensor::zeros([channels.count]));
            self.0.normalize(&x, &-(&s * &scaled * &q), &zeros, &statistics)
                + gradient(&along(&of_gy), u, &of_u)
                + gradient(&along(&of_u), &gy, &of_gy)
        };
        [
            saved.needs(0).then(gx),
            saved.needs(1).then(|| &s * &q * n),
            saved.needs(2).then(|| gradient(&weight, u, &of_u)),
            None,
            None,
        ]
    }
}

/// Shared by the rules.
impl Normalization {
    #[track_caller]
    fn normalize<T: Float>(&self, x: &Var<T>, weight: &Var<T>, bias: &Var<T>, statistics: &Var<T>) -> Var<T> {
        BatchNorm(*self).of([x, weight, bias, statistics])
    }

    #[track_caller]
    fn sums<T: Float>(&self, x: &Var<T>, g: &Var<T>, statistics: &Var<T>) -> Var<T> {
        BatchNormSums(*self).of([x, g, statistics])
    }

    /// The gradient with respect to x; it needs the [`sums`](Self::sums) of gy if the statistics depend on x.
    #[track_caller]
    fn gradient<T: Float>(
        &self,
        x: &Var<T>,
        weight: &Var<T>,
        gy: &Var<T>,
        statistics: &Var<T>,
        sums: impl FnOnce() -> Var<T>,
    ) -> Var<T> {
        if self.of_batch {
            let sums = x.constant(sums().value());
            return BatchNormGradient(*self).of([x, weight, gy, &sums, statistics]);
        }
        let axes = std::iter::repeat_n(1, x.shape().len() - 2);
        gy * (statistics.select(0, 2) * weight).with_shape(std::iter::once(self.channels.count).chain(axes).collect())
    }
}

/// The mean and variance used by [`Var::batch_norm`].
#[derive(Debug)]
pub enum BatchStatistics<'a, T: Float> {
    /// The mean and the biased variance of the batch, through which gradients flow.
    OfBatch,
    /// A constant mean and variance for each channel, such as running averages.
    Given {
        /// `[C]`.
        mean: &'a Tensor<T>,
        /// `[C]`.
        variance: &'a Tensor<T>,
    },
}

/// A normalized batch and its statistics, from [`Var::batch_norm`].
#[derive(Debug)]
pub struct BatchNormalized<T: Float> {
    /// `(x − mean)/√(variance + ε)`, times the weight, plus the bias; the shape of x.
    pub y: Var<T>,
    /// The mean of each channel, `[C]`.
    pub mean: Tensor<T>,
    /// The biased variance of each channel, `[C]`.
    pub variance: Tensor<T>,
}

impl<T: Float> Var<T> {
    /// Batch normalization of `[N, C]` or `[N, C, …]`: `(x − mean)/√(variance + ε) · weight + bias` for each channel (axis 1).
    ///
    /// Ioffe and Szegedy 2015. ε is inside the root, and the variance of the batch is the biased one. Weight and bias are `[C]` or
    /// numbers. The layer is [`BatchNorm`](crate::nn::BatchNorm), which also keeps running averages.
    ///
    /// # Panics
    /// If there is no axis 1, or the weight, the bias or the given statistics are not `[C]`.
    #[track_caller]
    pub fn batch_norm(
        &self,
        weight: impl Operand<T>,
        bias: impl Operand<T>,
        statistics: BatchStatistics<T>,
        epsilon: f64,
    ) -> BatchNormalized<T> {
        let [_, count, positions @ ..] = self.shape() else { panics::no_channels("batch_norm", self.shape()) };
        let channels = Channels { count: *count, run: element_count(positions), epsilon };
        let of_batch = matches!(statistics, BatchStatistics::OfBatch) && !self.value().is_empty();
        let (statistics, mean, variance) = match statistics {
            BatchStatistics::OfBatch => {
                let mut variance = Tensor::zeros([channels.count]);
                let statistics = Tensor::build(Dims::from_slice(&[3, channels.count]), |statistics| {
                    batch_norm::statistics(&channels, self.value().as_slice(), statistics, variance.as_mut_slice());
                });
                let mean = statistics.select(0, 0);
                (statistics, mean, variance)
            }
            BatchStatistics::Given { mean, variance } => {
                for given in [mean, variance] {
                    if given.shape() != [channels.count] {
                        panics::not_per_channel("batch_norm", given.shape(), self.shape());
                    }
                }
                let scale = (variance + epsilon).map(|variance| T::ONE / variance.sqrt());
                let statistics = Tensor::stack(&[mean, &Tensor::zeros([channels.count]), &scale], 0);
                (statistics, mean.clone(), variance.clone())
            }
        };
        let (weight, bias) = (self.per_channel(weight), self.per_channel(bias));
        let normalization = Normalization { channels, of_batch };
        let y = normalization.normalize(self, &weight, &bias, &self.constant(statistics));
        BatchNormalized { y, mean, variance }
    }

    /// A weight or bias as `[C]`, from `[C]` or a number.
    #[track_caller]
    fn per_channel(&self, given: impl Operand<T>) -> Var<T> {
        let given = self.resolve_operand(&given);
        match given.shape() {
            [] => given.expand_to(&self.shape()[1..2]),
            [channels] if *channels == self.shape()[1] => given.into_owned(),
            other => panics::not_per_channel("batch_norm", other, self.shape()),
        }
    }
}
