//! Batch normalization.

use super::linear;
use crate::support::panics::{Panic, message_of, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("batch_of_one", || {
        let tape = Tape::training(&mut wengert::rng(0));
        _ = BatchNorm::new(3).forward(&tape.var(Tensor::ones([1, 3])));
    }),
    ("initial_statistics", || {
        let mut layer = BatchNorm::new(3);
        let gradients = layer.forward(&variable()).sum().backward();
        Sgd::new(0.1).step(&mut layer, &gradients);
    }),
    ("not_per_channel", || _ = BatchNorm::new(2).forward(&variable())),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

fn step(model: &mut (Linear, BatchNorm), tape: &Tape) {
    let gradients = model.forward(&tape.constant([[1.0, 2.0], [3.0, -1.0]])).square().sum().backward();
    Sgd::new(0.1).step(model, &gradients);
}

#[test]
fn a_step_without_a_training_tape_panics_for_a_new_layer() {
    let mut model = (linear(2, 2), BatchNorm::new(2));
    let before = model.0.weight.value().clone();
    let message = message_of(|| step(&mut model, &Tape::new()));
    assert!(message.contains("\"1.running_mean\"") && message.contains(file!()), "{message}");
    assert_eq!(model.0.weight.value(), &before);
}

#[test]
fn learned_statistics_may_stay_fixed() {
    let mut model = (linear(2, 2), BatchNorm::new(2));
    step(&mut model, &Tape::training(&mut wengert::rng(0)));
    let mean = model.1.running_mean.value().clone();
    step(&mut model, &Tape::new());
    assert_eq!(model.1.running_mean.value(), &mean);
}

#[test]
fn gradients_of_a_new_model_are_no_mistake() {
    let model = BatchNorm::new(2);
    let mut other = linear(2, 2);
    let gradients = model.forward(&other.forward(&Tape::new().constant([[1.0, 2.0]]))).sum().backward();
    Sgd::new(0.1).step(&mut other, &gradients);
}
