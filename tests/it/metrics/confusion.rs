//! Confusion matrices.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::data::Samples;
use wengert::metrics::{ClassScores, ConfusionMatrix, accuracy};
use wengert::prelude::*;
use wengert::rand::RngExt;

pub const PANICS: &[Panic] = &[
    ("class_count", || ConfusionMatrix::new(2).add(&matrix(), &[0, 1])),
    ("predictions", || ConfusionMatrix::new(2).add_predictions(&[0], &[0, 1])),
    ("label_out_of_range", || ConfusionMatrix::new(2).add_predictions(&[2], &[0])),
    ("label_out_of_range", || _ = ConfusionMatrix::new(2).class(2)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

fn assert_close(found: ClassScores, [precision, recall, f1]: [f64; 3], samples: u64) {
    let errors = [found.precision - precision, found.recall - recall, found.f1 - f1];
    assert!(errors.iter().all(|error| error.abs() < 1e-12) && found.samples == samples, "{found:?}");
}

/// The example from scikit-learn's documentation of `classification_report`.
fn three_classes() -> ConfusionMatrix {
    let mut matrix = ConfusionMatrix::named(["class 0", "class 1", "class 2"]);
    matrix.add_predictions(&[0, 0], &[0, 1]);
    matrix.add(&tensor![[0.0, 0.1, 0.9], [0.0, 0.1, 0.9], [0.4, 0.5, 0.1]], &[2, 2, 2]);
    matrix
}

#[test]
fn a_confusion_matrix_by_hand() {
    let matrix = three_classes();
    assert_eq!((matrix.count(1, 0), matrix.count(0, 1), matrix.total()), (1, 0, 5));
    assert_close(matrix.class(0), [0.5, 1.0, 2.0 / 3.0], 1);
    assert_close(matrix.class(1), [0.0, 0.0, 0.0], 1);
    assert_close(matrix.class(2), [1.0, 2.0 / 3.0, 0.8], 3);
    assert_close(matrix.macro_average(), [0.5, 5.0 / 9.0, 22.0 / 45.0], 5);
    assert_close(matrix.weighted_average(), [0.7, 0.6, (2.0 / 3.0 + 2.4) / 5.0], 5);
    assert_eq!(matrix.accuracy(), 0.6);
    let empty = ConfusionMatrix::new(2);
    assert_close(empty.class(0), [0.0; 3], 0);
    assert_close(empty.macro_average(), [0.0; 3], 0);
}

#[test]
fn a_matrix_of_batches_is_that_of_all_samples() {
    let mut rng = wengert::rng(5);
    let scores: Tensor = Tensor::randn([60, 4], &mut rng);
    let samples = Samples::new(scores, Vec::from_iter((0..60).map(|_| rng.random_range(0..4))));
    let (mut whole, mut parts) = (ConfusionMatrix::new(4), ConfusionMatrix::new(4));
    whole.add(samples.inputs(), samples.targets());
    samples.batches(7).shuffled(&mut rng).for_each(|batch| parts.add(&batch.inputs, &batch.targets));
    assert_eq!(whole, parts);
    assert_eq!(whole.accuracy(), accuracy(samples.inputs(), samples.targets()));
    assert!((whole.weighted_average().recall - whole.accuracy()).abs() < 1e-12);
}

#[test]
fn confusion_matrices_print_as_tables() {
    let mut digits = ConfusionMatrix::new(10);
    for (label, count) in (0..10).zip([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]) {
        digits.add_predictions(&vec![label; count - 7], &vec![label; count - 7]);
        digits.add_predictions(&[(label + 3) % 10; 7], &[label; 7]);
    }
    let none = ConfusionMatrix::named([""; 0]);
    insta::assert_snapshot!(format!("{}\n{digits:.2}\n{none}", three_classes()));
}
