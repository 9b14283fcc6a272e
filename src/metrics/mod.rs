//! Metrics: accuracy, the confusion matrix with precision, recall and F1, ranking and calibration of two classes, errors of regression,
//! perplexity, and running means.
//!
//! Metrics take plain tensors and have no gradient. The score of no samples is NaN. That of a class which does not occur is 0, as in
//! scikit-learn, where it would be 0/0; each metric documents when that happens.

mod binary;
mod confusion;
mod language;
mod mean;
mod regression;

pub use binary::{BinaryScores, CalibrationBin, Threshold};
pub use confusion::{ClassScores, ConfusionMatrix};
pub use language::{bits_per_byte, bits_per_character, perplexity};
pub use mean::Mean;
pub use regression::Regression;

use crate::panics;
use crate::tensor::{Float, Labels, Tensor, all_classes_of, class_axis};

/// The fraction of samples whose label has the highest score: `correct / n`; NaN if there are no samples.
///
/// Scores are `[N, C]` or `[N, C, …]` with `N` or `N · …` labels, or `[C]` with one, as for the losses. Ties go to the
/// first class, and NaN is the highest score, as in [`Tensor::argmax`].
///
/// # Panics
/// If the number of labels does not match the scores, or a label is not less than the number of classes.
///
/// ```
/// use wengert::metrics::accuracy;
/// use wengert::prelude::*;
///
/// let scores = tensor![[2.0, 1.0, 0.0], [0.0, 3.0, 0.0], [1.0, 0.0, 5.0], [1.0, 2.0, 0.0]];
/// assert_eq!(accuracy(&scores, &[0, 1, 2, 0]), 0.75);
/// ```
#[doc(alias = "accuracy_score")]
#[track_caller]
#[must_use]
pub fn accuracy<T: Float>(scores: &Tensor<T>, labels: &(impl Labels + ?Sized)) -> f64 {
    fraction_within("accuracy", scores, &labels.labels(), 1)
}

/// The fraction of samples whose label has one of the k highest scores; NaN if there are no samples.
///
/// With k = 1 this is the [`accuracy`]; shapes and conventions are the same.
///
/// # Panics
/// If the number of labels does not match the scores, or a label is not less than the number of classes.
///
/// ```
/// use wengert::metrics::top_k;
/// use wengert::prelude::*;
///
/// let scores = tensor![[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]];
/// assert_eq!(top_k(&scores, &[1, 0], 2), 0.5);
/// ```
#[doc(alias = "top_k_accuracy")]
#[track_caller]
#[must_use]
pub fn top_k<T: Float>(scores: &Tensor<T>, labels: &(impl Labels + ?Sized), k: usize) -> f64 {
    fraction_within("top_k", scores, &labels.labels(), k)
}

/// The fraction of samples whose label has fewer than `k` classes ranked above it.
#[track_caller]
#[inline(never)]
fn fraction_within<T: Float>(op: &str, scores: &Tensor<T>, labels: &[i64], k: usize) -> f64 {
    let axis = class_axis_for(op, scores.shape(), labels.len());
    let labels = all_classes_of(op, labels, scores.shape()[axis]);
    let classes = scores.shape()[axis];
    let inner: usize = scores.shape()[axis + 1..].iter().product();
    let within = labels.iter().enumerate().filter(|&(sample, &label)| {
        let score = |class: usize| scores.as_slice()[(sample / inner * classes + class) * inner + sample % inner];
        let above = |class: &usize| match (score(*class), score(label)) {
            (other, own) if other.is_nan() || own.is_nan() => other.is_nan() && (!own.is_nan() || *class < label),
            (other, own) => other > own || (other == own && *class < label),
        };
        (0..classes).filter(above).count() < k
    });
    within.count() as f64 / labels.len() as f64
}

/// The axis of the classes; panics if the labels do not match the scores.
#[track_caller]
fn class_axis_for(op: &str, shape: &[usize], labels: usize) -> usize {
    let axis = class_axis(op, shape);
    let samples = shape.iter().enumerate().filter(|(k, _)| *k != axis).map(|(_, size)| size).product();
    if labels != samples {
        panics::label_count(op, shape, labels, samples);
    }
    axis
}

/// `part / whole`, or 0 if both are 0.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
