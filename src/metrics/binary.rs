//! Scores for two classes: how well they rank the samples, and how well they fit as probabilities.

use crate::kernel::base::memory::filled;
use crate::metrics::{class_axis_for, ratio};
use crate::panics;
use crate::tensor::{Float, Labels, Tensor, all_classes_of};

/// The scores of samples of which each belongs to a class (label 1) or does not (label 0), accumulated over batches.
///
/// ```
/// use wengert::metrics::BinaryScores;
/// use wengert::prelude::*;
///
/// let mut scores = BinaryScores::new();
/// scores.add(&tensor![0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1]);
/// assert_eq!(scores.roc_auc(), 0.75); // three of four pairs are in order
/// assert!((scores.average_precision() - 0.8333).abs() < 1e-4);
/// ```
#[derive(Clone, Debug, Default)]
pub struct BinaryScores {
    /// Scores, and whether the sample belongs to the class.
    samples: Vec<(f64, bool)>,
}

/// The counts of a classifier that predicts the class from a threshold on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Threshold {
    /// The lowest score that counts as the class; infinite if none does.
    pub score: f64,
    /// Samples of the class at or above the threshold.
    pub true_positives: u64,
    /// Other samples at or above the threshold.
    pub false_positives: u64,
    /// The fraction of samples of the class that are found, `TP / (TP + FN)`: the recall; 0 if there are none.
    pub true_positive_rate: f64,
    /// The fraction of other samples that are taken for the class, `FP / (FP + TN)`; 0 if there are none.
    pub false_positive_rate: f64,
    /// The fraction of predictions that are correct, `TP / (TP + FP)`; 1 if there are none.
    pub precision: f64,
}

/// The samples whose probabilities are in one of several equal intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CalibrationBin {
    /// The mean probability.
    pub probability: f64,
    /// The fraction of samples that belong to the class.
    pub frequency: f64,
    /// The number of samples.
    pub samples: u64,
}

impl BinaryScores {
    /// No scores.
    #[doc(alias(
        "roc_auc_score",
        "roc_curve",
        "precision_recall_curve",
        "average_precision_score",
        "calibration_curve"
    ))]
    pub fn new() -> Self {
        BinaryScores::default()
    }

    /// Adds a score for each label, 0 or 1. Any increasing function of a probability ranks like it, so logits do as well.
    ///
    /// # Panics
    /// If the numbers of scores and labels differ, a label is neither 0 nor 1, or a score is NaN.
    #[track_caller]
    pub fn add<T: Float>(&mut self, scores: &Tensor<T>, labels: &(impl Labels + ?Sized)) {
        let labels = labels.labels();
        if scores.len() != labels.len() {
            panics::label_count("BinaryScores::add", scores.shape(), labels.len(), scores.len());
        }
        let labels = all_classes_of("BinaryScores::add", &labels, 2);
        for (score, label) in scores.iter().zip(labels) {
            let score = score.to_f64();
            if score.is_nan() {
                panics::option("BinaryScores::add: score", score, "a number");
            }
            self.samples.push((score, label == 1));
        }
    }

    /// Adds one column of scores `[N, C]` of several classes: that class against all others.
    ///
    /// # Panics
    /// As [`accuracy`](crate::metrics::accuracy), and if there is no such class or a score is NaN.
    #[track_caller]
    pub fn add_class<T: Float>(&mut self, scores: &Tensor<T>, labels: &(impl Labels + ?Sized), class: usize) {
        let labels = labels.labels();
        let axis = class_axis_for("BinaryScores::add_class", scores.shape(), labels.len());
        if class >= scores.shape()[axis] {
            panics::selection_out_of_range("BinaryScores::add_class", class as i128, axis, scores.shape());
        }
        let own: Vec<u8> = labels.iter().map(|&label| u8::from(label == class as i64)).collect();
        self.add(&scores.select(axis, class), &own);
    }

    /// Adds the probability of the predicted class of each sample `[N, C]`, and whether the prediction is right: the calibration of these
    /// is that of a classifier of several classes, Guo et al. 2017.
    ///
    /// # Panics
    /// As [`accuracy`](crate::metrics::accuracy), and if a probability is NaN.
    ///
    /// ```
    /// use wengert::metrics::BinaryScores;
    /// use wengert::prelude::*;
    ///
    /// let mut confidence = BinaryScores::new();
    /// confidence.add_confidence(&tensor![[0.75, 0.25, 0.0], [0.0, 0.25, 0.75]], &[0, 1]);
    /// assert_eq!(confidence.calibration_error(10), 0.25); // it claims 75 %, and half is right
    /// ```
    #[track_caller]
    pub fn add_confidence<T: Float>(&mut self, probabilities: &Tensor<T>, labels: &(impl Labels + ?Sized)) {
        let labels = labels.labels();
        let axis = class_axis_for("BinaryScores::add_confidence", probabilities.shape(), labels.len());
        let predictions = probabilities.argmax(axis);
        let right: Vec<u8> = predictions.iter().zip(labels.iter()).map(|(&a, &b)| u8::from(a as i64 == b)).collect();
        self.add(&probabilities.max_over(axis), &right);
    }

    /// The thresholds at which the predictions change, from the one that nothing reaches to the lowest score. Samples with equal scores
    /// are on the same side of each.
    pub fn thresholds(&self) -> Vec<Threshold> {
        let mut samples = self.samples.clone();
        samples.sort_by(|a, b| b.0.total_cmp(&a.0));
        let positives = samples.iter().filter(|sample| sample.1).count() as u64;
        let negatives = samples.len() as u64 - positives;
        let (mut found, mut thresholds) = ([0, 0], Vec::new());
        let mut push = |score, [false_positives, true_positives]: [u64; 2]| {
            let predicted = false_positives + true_positives;
            thresholds.push(Threshold {
                score,
                true_positives,
                false_positives,
                true_positive_rate: ratio(true_positives, positives),
                false_positive_rate: ratio(false_positives, negatives),
                precision: if predicted == 0 { 1.0 } else { ratio(true_positives, predicted) },
            });
        };
        push(f64::INFINITY, found);
        for group in samples.chunk_by(|a, b| a.0 == b.0) {
            group.iter().for_each(|sample| found[usize::from(sample.1)] += 1);
            push(group[0].0, found);
        }
        thresholds
    }

    /// The area under the receiver operating characteristic: the probability that a sample of the class has a higher score than
    /// another one, ties counted half. NaN if one of the two kinds of samples is missing.
    pub fn roc_auc(&self) -> f64 {
        let thresholds = self.thresholds();
        let last = thresholds.last().expect("there is a threshold that nothing reaches");
        if last.true_positives == 0 || last.false_positives == 0 {
            return f64::NAN;
        }
        let strip = |pair: &[Threshold]| {
            let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
            width * (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0
        };
        thresholds.windows(2).map(strip).sum()
    }

    /// The area under the curve of precision over recall as a sum of steps, `Σ (Rₙ − Rₙ₋₁) Pₙ`, as in scikit-learn; 0 without samples of
    /// the class, NaN without any.
    pub fn average_precision(&self) -> f64 {
        if self.samples.is_empty() {
            return f64::NAN;
        }
        let step = |pair: &[Threshold]| (pair[1].true_positive_rate - pair[0].true_positive_rate) * pair[1].precision;
        self.thresholds().windows(2).map(step).sum()
    }

    /// The mean squared distance of probabilities from labels, Brier 1950; NaN without samples.
    ///
    /// # Panics
    /// If a score is not in [0, 1].
    #[doc(alias = "brier_score_loss")]
    #[track_caller]
    pub fn brier_score(&self) -> f64 {
        self.check_probabilities("BinaryScores::brier_score");
        let square = |&(score, is): &(f64, bool)| (score - f64::from(u8::from(is))).powi(2);
        self.samples.iter().map(square).sum::<f64>() / self.samples.len() as f64
    }

    /// The samples in `bins` equal intervals of probability, each with its upper end and the first with 0, as in Guo et al. 2017; those
    /// without samples are left out. The probabilities are calibrated if each bin's frequency is its probability.
    ///
    /// # Panics
    /// If a score is not in [0, 1], or there are no bins.
    #[track_caller]
    pub fn calibration(&self, bins: usize) -> Vec<CalibrationBin> {
        self.check_probabilities("BinaryScores::calibration");
        if bins == 0 {
            panics::option("BinaryScores::calibration: bins", 0.0, "at least 1");
        }
        let mut sums = filled((0.0, 0, 0), bins);
        for &(score, is) in &self.samples {
            let bin = (1..bins).take_while(|&k| score > k as f64 / bins as f64).count();
            let (probability, positives, samples) = &mut sums[bin];
            *probability += score;
            *positives += u64::from(is);
            *samples += 1;
        }
        let filled = sums.into_iter().filter(|&(_, _, samples)| samples > 0);
        filled
            .map(|(probability, positives, samples)| CalibrationBin {
                probability: probability / samples as f64,
                frequency: ratio(positives, samples),
                samples,
            })
            .collect()
    }

    /// The expected calibration error, Guo et al. 2017: the mean over samples of the distance between the probability and the frequency
    /// of their bin; NaN without samples.
    ///
    /// # Panics
    /// As [`calibration`](BinaryScores::calibration).
    #[doc(alias = "ECE")]
    #[track_caller]
    pub fn calibration_error(&self, bins: usize) -> f64 {
        let distance = |bin: &CalibrationBin| (bin.probability - bin.frequency).abs() * bin.samples as f64;
        self.calibration(bins).iter().map(distance).sum::<f64>() / self.samples.len() as f64
    }

    #[track_caller]
    fn check_probabilities(&self, op: &str) {
        if let Some(&(score, _)) = self.samples.iter().find(|(score, _)| !(0.0..=1.0).contains(score)) {
            panics::option(&format!("{op}: score"), score, "a probability, in [0, 1]");
        }
    }
}
