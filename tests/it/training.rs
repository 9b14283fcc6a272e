//! Training loops.

use crate::support::panics::{Panic, messages};
use wengert::optim::{EarlyStopping, Status};
use wengert::prelude::*;
use wengert::training::Fit;

pub const PANICS: &[Panic] = &[
    ("bound", || _ = Fit::<Param>::new(1).clip_norm(-1.0)),
    ("no epoch", || _ = Fit::<Param>::new(1).validate(&Param::new(0.0), 0.5)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

fn loss(model: &Param) -> Var {
    Tape::new().param(model).square().sum()
}

#[test]
fn the_best_model_is_kept_and_training_stops() {
    let (mut model, mut optimizer) = (Param::new(4.0), Sgd::new(0.25));
    let mut fit = Fit::new(10).patience(2);
    for validation in [3.0, 1.0, 2.0, f64::NAN] {
        assert!(fit.next_epoch());
        fit.step(loss(&model), &mut model, &mut optimizer).unwrap();
        _ = fit.validate(&model, validation);
    }
    assert!(!fit.next_epoch());
    assert_eq!((fit.best_model().unwrap().value().item(), model.value().item()), (1.0, 0.25));
}

#[test]
fn larger_values_are_better_if_it_says_so() {
    let mut fit = Fit::<Param>::new(2).stopping(EarlyStopping::new(5).maximize());
    let statuses: Vec<Status> = [0.5, 0.75]
        .map(|accuracy| {
            assert!(fit.next_epoch());
            fit.validate(&Param::new(accuracy as f32), accuracy)
        })
        .into();
    assert_eq!(statuses, [Status::Improved, Status::Improved]);
    assert!(!fit.next_epoch());
    assert_eq!(fit.best_model().unwrap().value().item(), 0.75);
}

#[test]
fn a_step_with_a_loss_or_gradient_that_is_not_finite_changes_nothing() {
    let mut optimizer = Sgd::new(0.1);
    for start in [1e30f32, f32::NAN] {
        let mut model = Param::new(start);
        let mut fit = Fit::new(1);
        assert!(fit.next_epoch());
        let error = fit.step(loss(&model), &mut model, &mut optimizer).unwrap_err();
        assert_eq!((error.epoch, error.step), (1, 0));
        assert!(error.to_string().contains("in epoch 1 at step 0"), "{error}");
        assert_eq!(model.value().item().to_bits(), start.to_bits());
    }
    // The loss is 0, its gradient infinite.
    let mut model = Param::new(0.0f32);
    let mut fit = Fit::new(1);
    assert!(fit.next_epoch());
    let root = Tape::new().param(&model).sqrt();
    let error = fit.step(root, &mut model, &mut optimizer).unwrap_err();
    assert!(error.to_string().starts_with("the norm of the gradients is inf"), "{error}");
}

#[test]
fn gradients_are_clipped_and_the_schedule_followed() {
    let (mut model, mut optimizer) = (Param::new(4.0f32), Sgd::new(9.0));
    let mut fit = Fit::new(1).clip_norm(1.0).schedule(|step: usize| 0.5 / (step + 1) as f64);
    assert!(fit.next_epoch());
    let norms = [(); 2].map(|()| fit.step(loss(&model), &mut model, &mut optimizer).unwrap());
    assert!(norms[0] == 8.0 && (norms[1] - 7.0).abs() < 1e-5, "{norms:?}");
    assert!((model.value().item() - 3.25).abs() < 1e-5);
}

#[test]
fn the_history_is_written() {
    let (mut model, mut optimizer) = (Param::new(4.0), Sgd::new(0.25));
    let mut fit = Fit::new(2);
    while fit.next_epoch() {
        for _ in 0..2 {
            fit.step(loss(&model), &mut model, &mut optimizer).unwrap();
        }
    }
    _ = fit.validate(&model, f64::INFINITY);
    insta::assert_snapshot!(fit.history().to_csv() + &fit.history().to_json());
}
