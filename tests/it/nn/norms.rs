//! Norms of gradients and updates.

use super::linear;
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

fn gradients(model: &(Linear, Linear)) -> Gradients {
    // Only the first layer is used.
    model.0.forward(&Tape::new().constant([[3.0, 4.0]])).sum().backward()
}

pub const PANICS: &[Panic] = &[("other_parameters", || {
    let model = (linear(2, 1), linear(1, 1));
    _ = gradients(&model).norms(&model).after(&model.0);
})];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn norms_of_a_step_are_those_by_hand() {
    let mut model = (linear(2, 1), linear(1, 1));
    *model.0.weight.value_mut() = tensor![[0.6, 0.8]];
    let gradients = gradients(&model);
    let before = gradients.norms(&model);
    assert_eq!(before.rows()[0].update, None);
    Sgd::new(0.5).step(&mut model, &gradients);
    let norms = before.after(&model);
    let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-6;
    let weight = &norms.rows()[0];
    assert!(near(Some(weight.value), 1.0) && near(weight.gradient, 5.0) && near(weight.update, 2.5), "{norms}");
    assert_eq!((norms.rows()[2].gradient, norms.rows()[2].update), (None, Some(0.0)));
    *model.1.weight.value_mut() = tensor![[0.25]];
    insta::assert_snapshot!(gradients.norms(&model).after(&model));
}
