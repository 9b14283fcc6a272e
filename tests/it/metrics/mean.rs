//! Running means.

use crate::support::panics::{Panic, messages};
use wengert::metrics::Mean;

pub const PANICS: &[Panic] = &[("option", || Mean::new().add_weighted(1.0, -1.0))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn a_running_mean_is_sound() {
    let mean = |values: &[f64]| {
        let mut mean = Mean::new();
        values.iter().for_each(|&value| mean.add(value));
        mean.value()
    };
    assert_eq!(mean(&[1e16, 1.0, -1e16, 1.0]), 0.5);
    assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan() && mean(&[1.0, f64::NAN, 1.0]).is_nan());
    assert!(mean(&[]).is_nan());
    assert!((mean(&[0.1; 10_000_000]) - 0.1).abs() < 1e-16);
    let mut weighted = Mean::new();
    weighted.add_weighted(2.0f32, 3.0);
    weighted.add_weighted(f64::NAN, 0.0);
    weighted.add(6.0f32);
    assert_eq!((weighted.value(), weighted.weight()), (3.0, 4.0));
    assert_eq!(format!("{weighted:.2}"), "3.00");
}
