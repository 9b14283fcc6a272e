//! How good a model is: accuracy, precision, recall and F1, the confusion matrix, and means over an epoch.
//!
//! All of them read plain tensors: they count, and have no gradient. A ratio of nothing to nothing is 0, as in scikit-learn; the
//! documentation of each says when that happens.

mod confusion;
mod mean;

pub use confusion::{ClassScores, ConfusionMatrix};
pub use mean::Mean;

use crate::panics;
use crate::tensor::{Float, Labels, Tensor, all_classes_of, class_axis};

/// The share of samples whose largest score is that of their label: `correct / n`; 0 if there are no samples.
///
/// Scores are `[N, C]` or `[N, C, …]` with `N` or `N · …` labels, or `[C]` with one, as for the losses. Of equal scores the first
/// counts, and a NaN counts as the largest, as in [`Tensor::argmax`].
///
/// # Panics
/// If the number of labels does not fit the scores, or a label is not one of the classes.
///
/// ```
/// use wengert::metrics::accuracy;
/// use wengert::prelude::*;
///
/// let scores = tensor![[2.0, 1.0, 0.0], [0.0, 3.0, 0.0], [1.0, 0.0, 5.0], [1.0, 2.0, 0.0]];
/// assert_eq!(accuracy(&scores, &[0, 1, 2, 0]), 0.75);
/// ```
#[track_caller]
pub fn accuracy<T: Float>(scores: &Tensor<T>, labels: &(impl Labels + ?Sized)) -> f64 {
    share_within("accuracy", scores, &labels.labels(), 1)
}

/// The share of samples whose label is among the k largest scores; 0 if there are no samples.
///
/// With k = 1 this is the [`accuracy`]; scores and conventions are the same.
///
/// # Panics
/// If the number of labels does not fit the scores, or a label is not one of the classes.
///
/// ```
/// use wengert::metrics::top_k;
/// use wengert::prelude::*;
///
/// let scores = tensor![[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]];
/// assert_eq!(top_k(&scores, &[1, 0], 2), 0.5);
/// ```
#[track_caller]
pub fn top_k<T: Float>(scores: &Tensor<T>, labels: &(impl Labels + ?Sized), k: usize) -> f64 {
    share_within("top_k", scores, &labels.labels(), k)
}

/// The share of samples whose label has fewer than `k` classes ahead of it.
#[track_caller]
#[inline(never)]
fn share_within<T: Float>(op: &str, scores: &Tensor<T>, labels: &[i64], k: usize) -> f64 {
    let axis = class_axis_for(op, scores.shape(), labels.len());
    let labels = all_classes_of(op, labels, scores.shape()[axis]);
    let classes = scores.shape()[axis];
    let inner: usize = scores.shape()[axis + 1..].iter().product();
    let within = labels.iter().enumerate().filter(|&(sample, &label)| {
        let score = |class: usize| scores.as_slice()[(sample / inner * classes + class) * inner + sample % inner];
        let ahead = |class: &usize| match (score(*class), score(label)) {
            (other, own) if other.is_nan() || own.is_nan() => other.is_nan() && (!own.is_nan() || *class < label),
            (other, own) => other > own || (other == own && *class < label),
        };
        (0..classes).filter(ahead).count() < k
    });
    ratio(within.count() as u64, labels.len() as u64)
}

/// The axis of the classes, when the number of labels fits the scores.
#[track_caller]
fn class_axis_for(op: &str, shape: &[usize], labels: usize) -> usize {
    let axis = class_axis(op, shape);
    let samples = shape.iter().enumerate().filter(|(k, _)| *k != axis).map(|(_, size)| size).product();
    if labels != samples {
        panics::label_count(op, shape, labels, samples);
    }
    axis
}

/// `part / whole`; 0 of nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
