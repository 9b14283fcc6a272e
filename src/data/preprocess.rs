//! Feature scaling and one-hot encoding.

use crate::kernel::base::float::power_of_two_below;
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
pub struct Standardizer {
    mean: Vec<f64>,
    std: Vec<f64>,
    map: Affine,
}

impl Standardizer {
    /// Computes the mean and the standard deviation of each feature of samples `[n, …]`.
    ///
    /// # Panics
    /// If there are no samples, or one of the numbers is NaN or infinite.
    #[doc(alias = "StandardScaler")]
    #[track_caller]
    pub fn fit<T: Float>(samples: &Tensor<T>) -> Self {
        let features = Features::of("Standardizer", samples);
        let count = features.count as f64;
        let (unit, _, range) = features.extent();
        let mean = divide(features.fold(0.0, |k, sum, x| sum + x / unit[k]), count);
        let deviation = |k: usize, x: f64| x / unit[k] - mean[k];
        let variance = divide(features.fold(0.0, |k, sum, x| sum + deviation(k, x) * deviation(k, x)), count);
        // Constant features are detected by their range: the mean is rounded, so their variance is not exactly 0.
        let std = variance.iter().zip(range).map(|(variance, range)| if range == 0.0 { 1.0 } else { variance.sqrt() });
        Affine { shape: features.shape, unit, offset: mean, scale: std.collect() }.into()
    }

    /// Scales samples `[n, …]`.
    ///
    /// # Panics
    /// If the features have another shape than in the data it was fitted to.
    #[track_caller]
    pub fn apply<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.map.apply("Standardizer", samples)
    }

    /// Converts scaled samples back: `x = z · std + mean`.
    ///
    /// # Panics
    /// If the features have another shape than in the data it was fitted to.
    #[track_caller]
    pub fn invert<T: Float>(&self, samples: &Tensor<T>) -> Tensor<T> {
        self.map.invert("Standardizer", samples)
    }

    /// The mean of each feature, in row-major order.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The divisor of each feature: its standard deviation, or 1 if that is 0.
    pub fn std(&self) -> &[f64] {
        &self.std
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
///
/// The default scales nothing.
#[derive(Clone, Debug, Default)]
pub struct MinMax(Affine);

impl MinMax {
    /// Computes the minimum and the maximum of each feature of samples `[n, …]`.
    ///
    /// # Panics
    /// If there are no samples, or one of the numbers is NaN or infinite.
    #[doc(alias = "MinMaxScaler")]
    #[track_caller]
    pub fn fit<T: Float>(samples: &Tensor<T>) -> Self {
        let features = Features::of("MinMax", samples);
        let (unit, offset, range) = features.extent();
        let scale = range.into_iter().map(|range| if range == 0.0 { 1.0 } else { range }).collect();
        MinMax(Affine { shape: features.shape, unit, offset, scale })
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

/// Scaling of features with fitted numbers, which a [`Checkpoint`](crate::io::Checkpoint) saves with the model: [`Standardizer`] and
/// [`MinMax`].
pub trait Scaling: Sized {
    /// The numbers `[3, …]`.
    #[doc(hidden)]
    fn numbers(&self) -> Tensor<f64>;
    /// The scaling with the numbers; `None` if it would not be invertible.
    #[doc(hidden)]
    fn from_numbers(numbers: &Tensor<f64>) -> Option<Self>;
}

impl Scaling for Standardizer {
    fn numbers(&self) -> Tensor<f64> {
        self.map.numbers()
    }
    fn from_numbers(numbers: &Tensor<f64>) -> Option<Self> {
        Affine::from_numbers(numbers).map(Standardizer::from)
    }
}

impl Scaling for MinMax {
    fn numbers(&self) -> Tensor<f64> {
        self.0.numbers()
    }
    fn from_numbers(numbers: &Tensor<f64>) -> Option<Self> {
        Affine::from_numbers(numbers).map(MinMax)
    }
}

/// Scales nothing: for a value that is loaded from a checkpoint.
impl Default for Standardizer {
    fn default() -> Self {
        Affine::default().into()
    }
}

impl From<Affine> for Standardizer {
    fn from(map: Affine) -> Self {
        let absolute = |values: &[f64]| values.iter().zip(&map.unit).map(|(value, unit)| value * unit).collect();
        Standardizer { mean: absolute(&map.offset), std: absolute(&map.scale), map }
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
#[doc(alias("to_categorical", "convert_one_hot", "OneHotEncoder"))]
#[track_caller]
pub fn one_hot(labels: &(impl Labels + ?Sized), classes: usize) -> Tensor {
    let labels = all_classes_of("one_hot", &labels.labels(), classes);
    let mut vectors = Tensor::zeros([labels.len(), classes]);
    let rows = vectors.as_mut_slice().chunks_exact_mut(classes.max(1));
    rows.zip(labels).for_each(|(row, label)| row[label] = 1.0);
    vectors
}

/// The map `z = (x / unit − offset) / scale` for each feature.
#[derive(Clone, Debug)]
struct Affine {
    /// The shape of one sample.
    shape: Dims,
    /// A power of two near the largest magnitude of each feature: division by it is exact, and neither differences nor
    /// squares of the quotients overflow or vanish.
    unit: Vec<f64>,
    offset: Vec<f64>,
    scale: Vec<f64>,
}

/// The identity, for samples of one number.
impl Default for Affine {
    fn default() -> Self {
        Affine { shape: Dims::from_slice(&[]), unit: vec![1.0], offset: vec![0.0], scale: vec![1.0] }
    }
}

impl Affine {
    /// Units, offsets and scales, `[3, …]`.
    fn numbers(&self) -> Tensor<f64> {
        let values = [&*self.unit, &self.offset, &self.scale].concat();
        Tensor::from_vec(values, [&[3], &*self.shape].concat())
    }

    fn from_numbers(numbers: &Tensor<f64>) -> Option<Self> {
        let [3, shape @ ..] = numbers.shape() else { return None };
        let count = element_count(shape);
        let part = |k: usize| numbers.as_slice()[k * count..(k + 1) * count].to_vec();
        let (unit, offset, scale) = (part(0), part(1), part(2));
        let positive = |values: &[f64]| values.iter().all(|&x| x > 0.0 && x.is_finite());
        let valid = positive(&unit) && positive(&scale) && offset.iter().all(|x| x.is_finite());
        valid.then(|| Affine { shape: Dims::from_slice(shape), unit, offset, scale })
    }

    #[track_caller]
    fn apply<T: Float>(&self, op: &str, samples: &Tensor<T>) -> Tensor<T> {
        self.map(op, samples, |x, unit, offset, scale| (x / unit - offset) / scale)
    }

    #[track_caller]
    fn invert<T: Float>(&self, op: &str, samples: &Tensor<T>) -> Tensor<T> {
        self.map(op, samples, |z, unit, offset, scale| (z * scale + offset) * unit)
    }

    #[track_caller]
    fn map<T: Float>(&self, op: &str, samples: &Tensor<T>, f: impl Fn(f64, f64, f64, f64) -> f64) -> Tensor<T> {
        if !matches!(samples.shape(), [_, shape @ ..] if *shape == *self.shape) {
            panics::feature_shape(op, samples.shape(), &self.shape);
        }
        let size = self.offset.len().max(1);
        Tensor::build(samples.dims(), |y| {
            for (y, x) in y.chunks_exact_mut(size).zip(samples.as_slice().chunks_exact(size)) {
                for (k, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                    *y = T::from_f64(f(x.to_f64(), self.unit[k], self.offset[k], self.scale[k]));
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
        let (count, shape) = match samples.shape() {
            [] | [0, ..] => panics::no_samples(op, samples.shape()),
            [count, shape @ ..] => (*count, shape),
        };
        if let Some(at) = samples.iter().position(|x| !x.is_finite()) {
            let size = element_count(shape);
            panics::feature_not_finite(op, at / size, at % size, samples.as_slice()[at].to_f64());
        }
        Features { samples, count, shape: Dims::from_slice(shape) }
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

    /// The unit of each feature, its minimum, and the distance to its maximum, both divided by the unit.
    fn extent(&self) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let low = self.fold(f64::INFINITY, |_, low, x| low.min(x));
        let high = self.fold(f64::NEG_INFINITY, |_, high, x| high.max(x));
        let unit: Vec<f64> = low.iter().zip(&high).map(|(&low, &high)| unit(low, high)).collect();
        let range = high.iter().zip(&low).zip(&unit).map(|((high, low), unit)| high / unit - low / unit).collect();
        (unit.clone(), low.iter().zip(&unit).map(|(low, unit)| low / unit).collect(), range)
    }
}

/// The power of two at or below the larger magnitude of two bounds; 1 if they are equal.
fn unit(low: f64, high: f64) -> f64 {
    if low == high { 1.0 } else { power_of_two_below(low.abs().max(high.abs())) }
}

/// Divides every element by the same number.
fn divide(values: Vec<f64>, count: f64) -> Vec<f64> {
    values.into_iter().map(|value| value / count).collect()
}
