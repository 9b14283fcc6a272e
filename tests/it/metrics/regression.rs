//! Errors of regression.

use crate::support::panics::{Panic, messages};
use wengert::metrics::Regression;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("shapes", || Regression::new().add(&tensor![1.0, 2.0], &tensor![[1.0, 2.0]]))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

fn errors(y: &[f64], t: &[f64]) -> Regression {
    let mut errors = Regression::new();
    for (y, t) in y.iter().zip(t) {
        errors.add(&tensor![f64; *y], &tensor![f64; *t]);
    }
    errors
}

#[test]
fn the_scores_of_a_constant_of_exact_and_of_no_predictions() {
    let t = [1.0, 2.0, 6.0];
    assert_eq!(errors(&t, &t).r_squared(), 1.0);
    assert!(errors(&[3.0; 3], &t).r_squared().abs() < 1e-12);
    assert_eq!((errors(&[1.0, 2.0], &[5.0, 5.0]).r_squared(), errors(&[5.0], &[5.0]).r_squared()), (0.0, 1.0));
    let none = Regression::new();
    assert!(none.r_squared().is_nan() && none.mean_absolute_error().is_nan());
}

#[test]
fn r_squared_far_from_zero_does_not_cancel() {
    let t: Vec<f64> = (0..1000).map(|k| 1e9 + f64::from(k % 10)).collect();
    let y: Vec<f64> = t.iter().map(|t| t + 1.0).collect();
    // The variance of 0…9 is 8.25.
    assert!((errors(&y, &t).r_squared() - (1.0 - 1.0 / 8.25)).abs() < 1e-9);
}
