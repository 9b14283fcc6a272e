//! Bringing inputs to a common scale, and labels to numbers.

use crate::panics;
use crate::tensor::{Dims, Float, Labels, Tensor, all_classes_of, element_count};

/// Brings every feature to mean 0 and standard deviation 1: `z = (x − mean) / std`.
///
/// Mean and deviation are those of the training data, and are applied to all other data as they are; the deviation is that of
/// the population, `√(Σ (x − mean)² / n)`, as in scikit-learn. A feature that never changes is only shifted. Computed in `f64`.
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
    /// Mean and standard deviation of each feature of samples `[n, …]`.
    ///
    /// # Panics
    /// If there are no samples.
    #[track_caller]
    pub fn fit<T: Float>(samples: &Tensor<T>) -> Self {
        let features = Features::of("Standardizer", samples);
        let count = features.count as f64;
        let mean = divided(features.fold(0.0, |_, sum, x| sum + x), count);
        let variance = divided(features.fold(0.0, |k, sum, x| sum + (x - mean[k]) * (x - mean[k])), count);
        // Asked for exactly, because the mean is rounded, and the deviation of a constant from it is not quite 0.
        let range = features.range().1;
        let std = variance.iter().zip(range).map(|(variance, range)| if range == 0.0 { 1.0 } else { variance.sqrt() });
        Standardizer(Affine { shape: features.shape, offset: mean, scale: std.collect() })
    }

    /// Samples `[n, …]` on the new scale.
    ///
    /// # Panics
    /// If the features have another shape than those that this was fitted to.
    #[track_caller]
    pub fn apply<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.apply("Standardizer", samples)
    }

    /// Samples on the new scale, back on the old one: `x = z · std + mean`.
    ///
    /// # Panics
    /// If the features have another shape than those that this was fitted to.
    #[track_caller]
    pub fn invert<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.invert("Standardizer", samples)
    }

    /// The mean of each feature, row-major.
    pub fn mean(&self) -> &[f64] {
        &self.0.offset
    }

    /// What each feature is divided by: its standard deviation, or 1 where that is 0.
    pub fn std(&self) -> &[f64] {
        &self.0.scale
    }
}

/// Brings every feature to the range from 0 to 1: `z = (x − min) / (max − min)`.
///
/// The extremes are those of the training data; other data can exceed the range. A feature that never changes is only shifted.
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
    /// The extremes of each feature of samples `[n, …]`.
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

    /// Samples `[n, …]` on the new scale.
    ///
    /// # Panics
    /// If the features have another shape than those that this was fitted to.
    #[track_caller]
    pub fn apply<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.apply("MinMax", samples)
    }

    /// Samples on the new scale, back on the old one: `x = z · (max − min) + min`.
    ///
    /// # Panics
    /// If the features have another shape than those that this was fitted to.
    #[track_caller]
    pub fn invert<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.0.invert("MinMax", samples)
    }
}

/// Vectors `[n, classes]` that are 1 at the label and 0 elsewhere.
///
/// Losses take labels as they are; this is for those that compare with a vector, such as a squared error.
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

/// `z = (x − offset) / scale` of each feature.
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

/// Samples `[n, …]`, at least one, for statistics of each feature.
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

    /// `f(k, y[k], x)` folded over the samples in order, for each feature k.
    fn fold(&self, start: f64, f: impl Fn(usize, f64, f64) -> f64) -> Vec<f64> {
        let mut folded = vec![start; element_count(&self.shape)];
        for sample in self.samples.as_slice().chunks_exact(folded.len().max(1)) {
            for (k, (y, x)) in folded.iter_mut().zip(sample).enumerate() {
                *y = f(k, *y, x.to_f64());
            }
        }
        folded
    }

    /// The smallest value of each feature, and how far away the largest is.
    fn range(&self) -> (Vec<f64>, Vec<f64>) {
        let low = self.fold(f64::INFINITY, |_, low, x| low.min(x));
        let high = self.fold(f64::NEG_INFINITY, |_, high, x| high.max(x));
        let range = high.iter().zip(&low).map(|(high, low)| high - low).collect();
        (low, range)
    }
}

/// Every element divided by the same number.
fn divided(values: Vec<f64>, count: f64) -> Vec<f64> {
    values.into_iter().map(|value| value / count).collect()
}
