//! Metrics compared with results computed by hand.

mod binary;
mod confusion;
mod golden;
mod language;
mod mean;
mod regression;

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::metrics::{BinaryScores, ConfusionMatrix, Mean, Regression, accuracy, top_k};
use wengert::prelude::*;
use wengert::rand::RngExt;

pub fn panics() -> Vec<Panic> {
    [binary::PANICS, confusion::PANICS, mean::PANICS, regression::PANICS, PANICS].concat()
}

const PANICS: &[Panic] = &[
    ("label_count", || _ = accuracy(&matrix(), &[0])),
    ("label_count", || _ = accuracy(&Tensor::<f32>::ones([2, 3, 4]), &[0; 4])),
    ("label_out_of_range", || _ = top_k(&matrix(), &[0, 3], 2)),
    ("no_class_axis", || _ = accuracy(&Tensor::<f32>::scalar(1.0), &[0])),
];

#[test]
fn panics_of_accuracy() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn accuracy_and_top_k_by_hand() {
    let scores = tensor![[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.4, 0.4, 0.2]];
    // The last row is a tie, which goes to the first class.
    assert_eq!(accuracy(&scores, &[1, 0, 2, 0]), 1.0);
    assert_eq!(accuracy(&scores, &[1, 0, 2, 1]), 0.75);
    assert_eq!([1, 2, 3, 9].map(|k| top_k(&scores, &[2, 2, 1, 1], k)), [0.0, 0.5, 1.0, 1.0]);
    assert_eq!(top_k(&scores, &[1, 0, 2, 1], 0), 0.0);
    assert_eq!(accuracy(&tensor![0.1, 0.9], &[1]), 1.0);
    // Score maps: the class axis is 1, and labels follow the other axes.
    let maps = tensor![[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0]]];
    assert_eq!(accuracy(&maps, &[1, 0, 0]), 2.0 / 3.0);
}

#[test]
fn the_score_of_no_samples_is_nan_in_every_metric() {
    let none = Tensor::<f64>::zeros([0, 3]);
    let (matrix, binary, errors) = (ConfusionMatrix::new(2), BinaryScores::new(), Regression::new());
    let scores = [
        accuracy(&none, &[0usize; 0]),
        top_k(&none, &[0usize; 0], 2),
        matrix.accuracy(),
        matrix.weighted_average().f1,
        binary.roc_auc(),
        binary.average_precision(),
        binary.brier_score(),
        binary.calibration_error(10),
        errors.mean_squared_error(),
        errors.r_squared(),
        Mean::new().value(),
    ];
    assert!(scores.iter().all(|score| score.is_nan()), "{scores:?}");
}

#[test]
fn the_best_is_that_of_argmax() {
    let mut rng = wengert::rng(4);
    for _ in 0..200 {
        // Few distinct values, so that ties occur.
        let value = |rng: &mut dyn Rng| [f32::NAN, -0.0, 0.0, 1.0, f32::INFINITY][rng.random_range(0..5)];
        let scores = Tensor::from_vec((0..24).map(|_| value(&mut rng)).collect(), [6, 4]);
        let labels = Vec::from_iter((0..6).map(|_| rng.random_range(0..4)));
        let hits = scores.argmax(1).iter().zip(&labels).filter(|(best, label)| best == label).count();
        assert_eq!(accuracy(&scores, &labels), hits as f64 / 6.0, "{scores} {labels:?}");
        let shares = [1, 2, 3, 4].map(|k| top_k(&scores, &labels, k));
        assert!(shares.is_sorted() && shares[3] == 1.0, "{scores} {labels:?}: {shares:?}");
    }
}
