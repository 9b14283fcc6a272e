//! Early stopping.

use crate::support::panics::{Panic, messages};
use wengert::optim::{EarlyStopping, Status};

pub const PANICS: &[Panic] = &[("option", || _ = EarlyStopping::new(1).min_delta(-0.1))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// The verdicts on a series of metrics, by their first letters.
fn verdicts(mut stopping: EarlyStopping, metrics: &[f64]) -> (String, Option<usize>) {
    let letter = |metric: &f64| match stopping.update(*metric) {
        Status::Improved => 'I',
        Status::Continue => 'C',
        Status::Stop => 'S',
    };
    (metrics.iter().map(letter).collect(), stopping.best_epoch())
}

#[test]
fn training_stops_when_patience_ends() {
    let nan = f64::NAN;
    let stopping = || EarlyStopping::new(2);
    assert_eq!(verdicts(stopping(), &[3.0, 2.0, 2.0, 1.0, 1.5, 1.0]), ("IICICS".into(), Some(3)));
    assert_eq!(verdicts(stopping().maximize(), &[1.0, 2.0, 2.0, 1.5]), ("IICS".into(), Some(1)));
    assert_eq!(verdicts(stopping().maximize().minimize(), &[2.0, 1.0]), ("II".into(), Some(1)));
    assert_eq!(verdicts(stopping().min_delta(0.5), &[3.0, 2.5, 2.4, 2.0, 1.9]), ("ICICS".into(), Some(2)));
    assert_eq!(verdicts(stopping(), &[nan, 1.0, nan, nan]), ("CICS".into(), Some(1)));
    assert_eq!(verdicts(stopping(), &[nan, nan, nan]), ("CSS".into(), None));
    assert_eq!(verdicts(stopping(), &[f64::INFINITY, f64::NEG_INFINITY, -1.0]), ("CIC".into(), Some(1)));
    for patience in [0, 1] {
        assert_eq!(verdicts(EarlyStopping::new(patience), &[1.0, 0.5, 0.5]), ("IIS".into(), Some(1)));
    }
}
