//! The confusion matrix and the scores derived from it.

use crate::kernel::base::memory::filled;
use crate::metrics::{class_axis_for, ratio};
use crate::panics;
use crate::tensor::{Float, Labels, Tensor, all_classes_of};
use std::fmt::{self, Display, Formatter};

/// The number of samples for each pair of label (row) and prediction (column), accumulated over batches.
///
/// It prints as two tables, the counts and the scores of each class; `{matrix:.2}` prints two decimals instead of four.
///
/// ```
/// use wengert::metrics::ConfusionMatrix;
/// use wengert::prelude::*;
///
/// let mut matrix = ConfusionMatrix::named(["cat", "dog"]);
/// matrix.add(&tensor![[2.0, 1.0], [0.5, 1.5]], &[0, 1]);
/// matrix.add_predictions(&[0, 0], &[0, 1]);
/// assert_eq!(matrix.count(1, 0), 1); // one dog was classified as a cat
/// assert_eq!(matrix.accuracy(), 0.75);
/// assert_eq!(matrix.class(1).recall, 0.5);
/// assert_eq!(matrix.to_string(), "\
/// label \\ prediction  cat  dog
/// cat                   2    0
/// dog                   1    1
///
///                     precision  recall      F1  samples
/// cat                    0.6667  1.0000  0.8000        2
/// dog                    1.0000  0.5000  0.6667        2
/// macro average          0.8333  0.7500  0.7333        4
/// weighted average       0.8333  0.7500  0.7333        4
/// accuracy                               0.7500        4
/// ");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    names: Vec<String>,
    /// Row-major, `[label, prediction]`.
    counts: Vec<u64>,
}

/// The scores of one class, or their average over the classes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClassScores {
    /// The fraction of predictions of the class that are correct: `TP / (TP + FP)`; 0 if it was never predicted.
    pub precision: f64,
    /// The fraction of samples of the class that were predicted correctly: `TP / (TP + FN)`; 0 if there are none.
    pub recall: f64,
    /// The harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`; 0 if the class neither occurs nor is
    /// predicted.
    pub f1: f64,
    /// The number of samples of the class: `TP + FN`.
    pub samples: u64,
}

/// The counts of an empty matrix.
#[track_caller]
fn zeros(classes: usize) -> Vec<u64> {
    filled(0, classes.saturating_mul(classes))
}

impl ConfusionMatrix {
    /// An empty matrix for classes named by their numbers.
    ///
    /// # Panics
    /// If there is not enough memory for the square of the number of classes.
    #[doc(alias = "classification_report")]
    #[track_caller]
    pub fn new(classes: usize) -> Self {
        let counts = zeros(classes);
        ConfusionMatrix { counts, names: (0..classes).map(|class| class.to_string()).collect() }
    }

    /// An empty matrix for named classes.
    ///
    /// # Panics
    /// As [`new`](ConfusionMatrix::new).
    #[track_caller]
    pub fn named(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        ConfusionMatrix { counts: zeros(names.len()), names }
    }

    /// Adds a batch, predicting the class with the highest score.
    ///
    /// Scores are `[N, C]`, `[N, C, …]` or `[C]`, as for [`accuracy`](super::accuracy).
    ///
    /// # Panics
    /// If the scores or the number of labels have the wrong shape, or a label is not less than the number of classes.
    #[track_caller]
    pub fn add<T: Float>(&mut self, scores: &Tensor<T>, labels: &(impl Labels + ?Sized)) {
        let labels = labels.labels();
        let axis = class_axis_for("ConfusionMatrix", scores.shape(), labels.len());
        if scores.shape()[axis] != self.classes() {
            panics::class_count(scores.shape(), self.classes());
        }
        self.add_predictions(&scores.argmax(axis), &labels);
    }

    /// Adds predicted classes, for example from a threshold.
    ///
    /// # Panics
    /// If the numbers of predictions and labels differ, or one of them is not less than the number of classes.
    #[track_caller]
    pub fn add_predictions(&mut self, predictions: &(impl Labels + ?Sized), labels: &(impl Labels + ?Sized)) {
        let (predictions, labels) = (predictions.labels(), labels.labels());
        if predictions.len() != labels.len() {
            panics::predictions(predictions.len(), labels.len());
        }
        let labels = all_classes_of("ConfusionMatrix", &labels, self.classes());
        let predictions = all_classes_of("ConfusionMatrix", &predictions, self.classes());
        for (prediction, label) in predictions.iter().zip(labels) {
            self.counts[label * self.names.len() + prediction] += 1;
        }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// The number of samples of class `label` that were predicted as class `prediction`.
    ///
    /// # Panics
    /// If either is not less than the number of classes.
    #[track_caller]
    pub fn count(&self, label: usize, prediction: usize) -> u64 {
        let pair = all_classes_of("ConfusionMatrix", &[label, prediction].labels(), self.classes());
        self.counts[pair[0] * self.classes() + pair[1]]
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The fraction of correct predictions; NaN if there are no samples.
    pub fn accuracy(&self) -> f64 {
        let correct: u64 = (0..self.classes()).map(|class| self.count(class, class)).sum();
        correct as f64 / self.total() as f64
    }

    /// The scores of a class.
    ///
    /// # Panics
    /// If it is not less than the number of classes.
    #[track_caller]
    #[doc(alias("precision_score", "recall_score", "f1_score"))]
    pub fn class(&self, class: usize) -> ClassScores {
        let hits = self.count(class, class);
        let samples = (0..self.classes()).map(|other| self.count(class, other)).sum();
        let predicted = (0..self.classes()).map(|other| self.count(other, class)).sum();
        ClassScores {
            precision: ratio(hits, predicted),
            recall: ratio(hits, samples),
            f1: ratio(2 * hits, samples + predicted),
            samples,
        }
    }

    /// The unweighted mean of the scores over all classes, including those that do not occur.
    pub fn macro_average(&self) -> ClassScores {
        self.average(|_| 1)
    }

    /// The mean of the scores over the classes, weighted by their number of samples; NaN if there are none. Its recall is the accuracy.
    pub fn weighted_average(&self) -> ClassScores {
        self.average(|scores| scores.samples)
    }

    fn average(&self, weight: impl Fn(&ClassScores) -> u64) -> ClassScores {
        let classes: Vec<ClassScores> = (0..self.classes()).map(|class| self.class(class)).collect();
        let total: u64 = classes.iter().map(&weight).sum();
        let mean = |score: fn(&ClassScores) -> f64| {
            let sum: f64 = classes.iter().map(|scores| score(scores) * weight(scores) as f64).sum();
            sum / total as f64
        };
        ClassScores {
            precision: mean(|scores| scores.precision),
            recall: mean(|scores| scores.recall),
            f1: mean(|scores| scores.f1),
            samples: self.total(),
        }
    }
}

impl Display for ConfusionMatrix {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let digits = f.precision().unwrap_or(4);
        let heading = ["label \\ prediction".to_string()].into_iter().chain(self.names.iter().cloned());
        let mut counts = vec![Vec::from_iter(heading)];
        let mut scores = vec![["", "precision", "recall", "F1", "samples"].map(String::from).to_vec()];
        let row = |name: &str, scores: ClassScores| {
            let shares = [scores.precision, scores.recall, scores.f1].map(|share| format!("{share:.digits$}"));
            [vec![name.to_string()], shares.to_vec(), vec![scores.samples.to_string()]].concat()
        };
        for (class, name) in self.names.iter().enumerate() {
            let cells = (0..self.classes()).map(|other| self.count(class, other).to_string());
            counts.push([name.clone()].into_iter().chain(cells).collect());
            scores.push(row(name, self.class(class)));
        }
        scores.push(row("macro average", self.macro_average()));
        scores.push(row("weighted average", self.weighted_average()));
        let accuracy = format!("{:.digits$}", self.accuracy());
        scores.push(vec!["accuracy".into(), String::new(), String::new(), accuracy, self.total().to_string()]);
        let first = counts.iter().chain(&scores).map(|row| row[0].chars().count()).max().unwrap_or(0);
        write_table(f, first, &counts)?;
        writeln!(f)?;
        write_table(f, first, &scores)
    }
}

/// Writes rows of equal length: the first column left-aligned with width `first`, the others right-aligned.
fn write_table(f: &mut Formatter, first: usize, rows: &[Vec<String>]) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for row in rows {
        write!(f, "{:<first$}", row[0])?;
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            write!(f, "  {cell:>width$}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}
