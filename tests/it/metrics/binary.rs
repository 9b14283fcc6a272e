//! Ranking and calibration of two classes.

use crate::support::panics::{Panic, messages};
use wengert::metrics::BinaryScores;
use wengert::prelude::*;
use wengert::rand::RngExt;

fn scores(scores: &[f32], labels: &[u8]) -> BinaryScores {
    let mut all = BinaryScores::new();
    all.add(&Tensor::from(scores), labels);
    all
}

pub const PANICS: &[Panic] = &[
    ("count", || _ = scores(&[0.5], &[0, 1]).roc_auc()),
    ("label", || _ = scores(&[0.5], &[2]).roc_auc()),
    ("NaN", || _ = scores(&[f32::NAN], &[1]).roc_auc()),
    ("logit", || _ = scores(&[1.5], &[1]).brier_score()),
    ("selection_out_of_range", || BinaryScores::new().add_class(&tensor![[0.1, 0.9]], &[1], 2)),
    ("no bins", || _ = scores(&[0.5], &[1]).calibration_error(0)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn the_area_is_the_fraction_of_pairs_in_order() {
    let rng = &mut wengert::rng(3);
    for round in 0..20 {
        // Few levels, so that there are ties.
        let scored: Vec<(f32, u8)> =
            (0..50).map(|_| (rng.random_range(0..8) as f32, rng.random_range(0..=1))).collect();
        let mut all = BinaryScores::new();
        for part in scored.chunks(7) {
            let (part, labels): (Vec<f32>, Vec<u8>) = part.iter().copied().unzip();
            all.add(&Tensor::from(part), &labels);
        }
        let of = |label| scored.iter().filter(move |sample| sample.1 == label).map(|sample| sample.0);
        let order = |a: f32, b: f32| if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 };
        let pairs: Vec<f64> = of(1).flat_map(|a| of(0).map(move |b| order(a, b))).collect();
        let expected = pairs.iter().sum::<f64>() / pairs.len() as f64;
        assert!((all.roc_auc() - expected).abs() < 1e-12, "{} {expected} in round {round}", all.roc_auc());
    }
}

#[test]
fn thresholds_count_as_by_hand() {
    let all = scores(&[0.9, 0.6, 0.6, 0.2], &[1, 0, 1, 0]);
    let thresholds = all.thresholds();
    let counts: Vec<_> = thresholds.iter().map(|t| (t.score as f32, t.true_positives, t.false_positives)).collect();
    assert_eq!(counts, [(f32::INFINITY, 0, 0), (0.9, 1, 0), (0.6, 2, 1), (0.2, 2, 2)]);
    assert_eq!((thresholds[0].precision, thresholds[2].precision), (1.0, 2.0 / 3.0));
    assert!((all.average_precision() - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
}

#[test]
fn one_kind_of_samples_has_no_area() {
    assert!(scores(&[0.1, 0.9], &[1, 1]).roc_auc().is_nan() && BinaryScores::new().roc_auc().is_nan());
    assert_eq!(scores(&[0.1, 0.9], &[0, 0]).average_precision(), 0.0);
}

#[test]
fn one_class_of_several_is_ranked_against_all_others() {
    let mut all = BinaryScores::new();
    all.add_class(&tensor![[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]], &[1, 0, 0], 1);
    assert_eq!(all.roc_auc(), 1.0);
}

#[test]
fn calibrated_probabilities_have_no_calibration_error() {
    let all = scores(&[0.25, 0.25, 0.25, 0.25, 1.0], &[0, 1, 0, 0, 1]);
    assert_eq!(all.calibration_error(10), 0.0);
    let bins = all.calibration(10);
    assert_eq!((bins.len(), bins[0].probability, bins[0].samples, bins[1].frequency), (2, 0.25, 4, 1.0));
    assert!((scores(&[1.0, 1.0], &[0, 1]).calibration_error(5) - 0.5).abs() < 1e-12);
    assert_eq!(scores(&[0.5, 1.0], &[1, 1]).brier_score(), 0.125);
}
