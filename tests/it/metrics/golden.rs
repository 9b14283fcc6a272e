//! Values of scikit-learn 1.9: `roc_curve`, `precision_recall_curve`, `average_precision_score`, `brier_score_loss`, `calibration_curve`,
//! `top_k_accuracy_score`, `mean_absolute_error`, `root_mean_squared_error` and `r2_score`; the expected calibration error, which it lacks,
//! by `sum(abs(p[b == k].mean() - y[b == k].mean()) * (b == k).mean())` with `b = searchsorted(arange(1, bins) / bins, p)`.

use wengert::metrics::{BinaryScores, Regression, top_k};
use wengert::prelude::*;

fn assert_close(found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(found.iter().zip(expected).all(|(a, b)| a == b || (a - b).abs() < 1e-12), "{found:?} {expected:?}");
}

#[test]
fn two_classes() {
    let mut scores = BinaryScores::new();
    scores.add(
        &tensor![f64; 0.9, 0.8, 0.7, 0.7, 0.6, 0.55, 0.5, 0.4, 0.4, 0.3, 0.2, 0.1],
        &[1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0],
    );
    assert_close([scores.roc_auc(), scores.average_precision()], &[0.8333333333333333, 0.8218253968253967]);
    assert_close([scores.brier_score(), scores.calibration_error(4)], &[0.166875, 0.12916666666666665]);
    let curve = scores.thresholds();
    let (sixth, third) = (1.0 / 6.0, 1.0 / 3.0);
    assert_close(
        curve.iter().map(|point| point.score),
        &[f64::INFINITY, 0.9, 0.8, 0.7, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2, 0.1],
    );
    assert_close(
        curve.iter().map(|point| point.false_positive_rate),
        &[0.0, 0.0, 0.0, sixth, sixth, third, third, 0.5, 2.0 * third, 5.0 * sixth, 1.0],
    );
    assert_close(
        curve.iter().map(|point| point.true_positive_rate),
        &[0.0, sixth, third, 0.5, 2.0 * third, 2.0 * third, 5.0 * sixth, 1.0, 1.0, 1.0, 1.0],
    );
    let precision = [1.0, 1.0, 1.0, 0.75, 0.8, 2.0 * third, 5.0 / 7.0, 2.0 * third, 0.6, 6.0 / 11.0, 0.5];
    assert_close(curve.iter().map(|point| point.precision), &precision);
    let bins = scores.calibration(4);
    assert_close(bins.iter().map(|bin| bin.frequency), &[0.0, 0.5, 0.5, 1.0]);
    assert_close(bins.iter().map(|bin| bin.probability), &[0.15, 0.4, 0.6375, 0.85]);
}

#[test]
fn several_classes() {
    let probabilities =
        tensor![f64; [0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.5, 0.2, 0.3], [0.05, 0.05, 0.9]];
    let labels = [0, 2, 2, 1, 2];
    let mut confidence = BinaryScores::new();
    confidence.add_confidence(&probabilities, &labels);
    assert_close([confidence.calibration_error(5), top_k(&probabilities, &labels, 2)], &[0.42, 0.8]);
    let area = |class| {
        let mut scores = BinaryScores::new();
        scores.add_class(&probabilities, &labels, class);
        scores.roc_auc()
    };
    assert_close([area(0), area(1), area(2)], &[1.0, 0.375, 0.9166666666666667]);
}

#[test]
fn numbers() {
    let mut errors = Regression::new();
    errors.add(&tensor![f64; 2.5, 0.0, 2.0, 8.0, 3.5], &tensor![f64; 3.0, -0.5, 2.0, 7.0, 4.25]);
    assert_close(
        [errors.mean_absolute_error(), errors.root_mean_squared_error(), errors.r_squared()],
        &[0.55, 0.6422616289332564, 0.9328175895765473],
    );
}
