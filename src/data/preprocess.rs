//! Feature scaling and one-hot encoding.

use crate::panics;
use crate::tensor::{Dims, Float, Labels, Tensor, all_classes_of, element_count};

/// Scales every feature to mean 0 and standard deviation 1: `z = (x − mean) / std`.
///
/// Fit it to the training data and apply it to all data. The standard deviation is that of the population,
/// `√(Σ (x − mean)² / n)`, as in scikit-learn. A constant feature is only centered. Statistics are computed in `f64`.
///
/// ```
/// use wengert::data::Standardizer;
/// use wengert::prelude::*;
///
/// let train = tensor![[1.0, 200.0], [3.0, 200.0], [5.0, 200.0]];
/// let standardizer = Standardizer::fit(&train);
/// assert_eq!(standardizer.mean(), [3.0, 200.0]);
/// let test = tensor![[3.0, 201.0]];
/// assert_eq!(standardizer.apply(&test), tensor![[0.0, 1.0]]);
/// assert_eq!(standardizer.invert(&standardizer.apply(&test)), test);
/// ```
#[derive(Clone, Debug)]
pub struct Standardizer(Affine);

impl Standardizer {
    /// Computes the mean and the standard deviation of each feature of samples `[n, …]`.
    ///
    /// # Panics
    /// If there are no samples.
    #[track_caller]
    pub fn fit<T: Float>(samples: &Tensor<T>) -> Self {
        let features = Features::of("Standardizer", samples);
        let count = features.count as f64;
        let mean = divide(features.fold(0.0, |_, sum, x| sum + x), count);
        let variance = divide(features.fold(0.0, |k, sum, x| sum + (x - mean[k]) * (x - mean[k])), count);
        // Constant features are detected by their range: the mean is rounded, so their variance is not exactly 0.
        let range = features.range().1;
        let std = variance.iter().zip(range).map(|(variance, range)| if range == 0.0 { 1.0 } else { variance.sqrt() });
        Standardizer(Affine { shape: features.shape, offset: mean, scale: std.collect() })
    }

    /// Scales samples `[n, …]`.
    ///
    /// # Panics
    /// If the features have another shape than in the data it was fitted to.
    #[track_caller]
    pub fn apply<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.apply("Standardizer", samples)
    }

    /// Converts scaled samples back: `x = z · std + mean`.
    ///
    /// # Panics
    /// If the features have another shape than in the data it was fitted to.
    #[track_caller]
    pub fn invert<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.invert("Standardizer", samples)
    }

    /// The mean of each feature, in row-major order.
    pub fn mean(&self) -> &[f64] {
        &self.0.offset
    }

    /// The divisor of each feature: its standard deviation, or 1 if that is 0.
    pub fn std(&self) -> &[f64] {
        &self.0.scale
    }
}

/// Scales every feature to the range from 0 to 1: `z = (x − min) / (max − min)`.
///
/// It maps the range of the data it was fitted to; other data can exceed it. A constant feature is only shifted.
///
/// ```
/// use wengert::data::MinMax;
/// use wengert::prelude::*;
///
/// let scale = MinMax::fit(&tensor![[1.0, 50.0], [3.0, 60.0]]);
/// assert_eq!(scale.apply(&tensor![[2.0, 70.0]]), tensor![[0.5, 2.0]]);
/// assert_eq!(scale.invert(&tensor![[0.5, 2.0]]), tensor![[2.0, 70.0]]);
/// ```
#[derive(Clone, Debug)]
pub struct MinMax(Affine);

impl MinMax {
    /// Computes the minimum and the maximum of each feature of samples `[n, …]`.
    ///
    /// # Panics
    /// If there are no samples.
    #[track_caller]
    pub fn fit<T: Float>(samples: &Tensor<T>) -> Self {
        let features = Features::of("MinMax", samples);
        let (offset, range) = features.range();
        let scale = range.into_iter().map(|range| if range == 0.0 { 1.0 } else { range }).collect();
        MinMax(Affine { shape: features.shape, offset, scale })
    }

    /// Scales samples `[n, …]`.
    ///
    /// # Panics
    /// If the features have another shape than in the data it was fitted to.
    #[track_caller]
    pub fn apply<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.apply("MinMax", samples)
    }

    /// Converts scaled samples back: `x = z · (max − min) + min`.
    ///
    /// # Panics
    /// If the features have another shape than in the data it was fitted to.
    #[track_caller]
    pub fn invert<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.invert("MinMax", samples)
    }
}

/// One-hot vectors `[n, classes]`: 1 at the label and 0 elsewhere.
///
/// Cross-entropy takes labels directly; this encoding is for losses that compare vectors, such as the squared error.
///
/// # Panics
/// If a label is not less than the number of classes.
///
/// ```
/// use wengert::data::one_hot;
/// use wengert::prelude::*;
///
/// assert_eq!(one_hot(&[2, 0], 3), tensor![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// ```
#[track_caller]
pub fn one_hot(labels: &(impl Labels + ?Sized), classes: usize) -> Tensor {
    let labels = all_classes_of("one_hot", &labels.labels(), classes);
    let mut vectors = Tensor::zeros([labels.len(), classes]);
    let rows = vectors.as_mut_slice().chunks_exact_mut(classes.max(1));
    rows.zip(labels).for_each(|(row, label)| row[label] = 1.0);
    vectors
}

/// The map `z = (x − offset) / scale` for each feature.
#[derive(Clone, Debug)]
struct Affine {
    /// The shape of one sample.
    shape: Dims,
    offset: Vec<f64>,
    scale: Vec<f64>,
}

impl Affine {
    #[track_caller]
    fn apply<T: Float>(&self, op: &str, samples: &Tensor<T>) -> Tensor<T> {
        self.map(op, samples, |x, offset, scale| (x - offset) / scale)
    }

    #[track_caller]
    fn invert<T: Float>(&self, op: &str, samples: &Tensor<T>) -> Tensor<T> {
        self.map(op, samples, |z, offset, scale| z * scale + offset)
    }

    #[track_caller]
    fn map<T: Float>(&self, op: &str, samples: &Tensor<T>, f: impl Fn(f64, f64, f64) -> f64) -> Tensor<T> {
        if !matches!(samples.shape(), [_, shape @ ..] if *shape == *self.shape) {
            panics::feature_shape(op, samples.shape(), &self.shape);
        }
        let size = self.offset.len().max(1);
        Tensor::build(samples.dims(), |y| {
            for (y, x) in y.chunks_exact_mut(size).zip(samples.as_slice().chunks_exact(size)) {
                for (((y, &x), &offset), &scale) in y.iter_mut().zip(x).zip(&self.offset).zip(&self.scale) {
                    *y = T::from_f64(f(x.to_f64(), offset, scale));
                }
            }
        })
    }
}

/// One or more samples `[n, …]`, for statistics of each feature.
struct Features<'a, T: Float> {
    samples: &'a Tensor<T>,
    count: usize,
    /// The shape of one sample.
    shape: Dims,
}

impl<'a, T: Float> Features<'a, T> {
    #[track_caller]
    fn of(op: &str, samples: &'a Tensor<T>) -> Self {
        match samples.shape() {
            [] | [0, ..] => panics::no_samples(op, samples.shape()),
            [count, shape @ ..] => Features { samples, count: *count, shape: Dims::from_slice(shape) },
        }
    }

    /// Folds `y[k] = f(k, y[k], x)` over the samples, for each feature k.
    fn fold(&self, start: f64, f: impl Fn(usize, f64, f64) -> f64) -> Vec<f64> {
        let mut acc = vec![start; element_count(&self.shape)];
        for sample in self.samples.as_slice().chunks_exact(acc.len().max(1)) {
            for (k, (y, x)) in acc.iter_mut().zip(sample).enumerate() {
                *y = f(k, *y, x.to_f64());
            }
        }
        acc
    }

    /// The minimum of each feature, and its distance to the maximum.
    fn range(&self) -> (Vec<f64>, Vec<f64>) {
        let low = self.fold(f64::INFINITY, |_, low, x| low.min(x));
        let high = self.fold(f64::NEG_INFINITY, |_, high, x| high.max(x));
        let range = high.iter().zip(&low).map(|(high, low)| high - low).collect();
        (low, range)
    }
}

/// Divides every element by the same number.
fn divide(values: Vec<f64>, count: f64) -> Vec<f64> {
    values.into_iter().map(|value| value / count).collect()
}
