//! Frozen parameters.

use super::linear;
use crate::support::panics::message_of;
use wengert::autograd::MissingGradient;
use wengert::prelude::*;

#[test]
fn no_gradient_is_computed() {
    let mut model = (linear(2, 3), Relu, linear(3, 1));
    let tape = Tape::training(&mut wengert::rng(0));
    tape.freeze(&model.0);
    tape.freeze(&model.0);
    let y = model.forward(&tape.constant([[1.0, 2.0]]));
    assert_eq!(tape.len(), 3, "the head and its two parameters, and nothing of the body:\n{tape}");
    let gradients = y.sum().backward();
    assert_eq!(gradients.len(), 2);
    assert_eq!(gradients.why_missing(&model.0.weight), Some(MissingGradient::Frozen));
    assert_eq!(
        gradients.missing(&model).to_string().lines().next(),
        Some("0.weight  frozen on this tape, so that no gradient is computed")
    );
    let before = model.0.weight.value().clone();
    Adam::new(0.1).step(&mut model, &gradients);
    assert_eq!(model.0.weight.value(), &before);
}

#[test]
fn a_gradient_flows_through() {
    let model = (linear(2, 2), linear(2, 1));
    let gradient = |freeze: bool| {
        let tape = Tape::new();
        if freeze {
            tape.freeze(&model.1);
        }
        model.forward(&tape.constant([[1.0, 2.0]])).sum().backward()
    };
    assert_eq!(gradient(true)[&model.0.weight], gradient(false)[&model.0.weight]);
    assert!(gradient(true).get(&model.1.weight).is_none());
}

#[test]
fn too_late() {
    let layer = linear(1, 1);
    let tape = Tape::new();
    _ = tape.param(&layer.weight);
    assert_eq!(
        message_of(|| tape.freeze(&layer)),
        "freeze: the parameter of shape [1, 1] was already read or bound on this tape: freeze it once, before its first use"
    );
}
