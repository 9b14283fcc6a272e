//! Parameters on a tape: each is a single leaf, or the value bound to it.

use crate::support::panics::{Panic, message_of, messages};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("two_tapes", || Tape::new().bind(&Param::new(matrix()), &variable())),
    ("parameter_changed", || {
        let (mut weight, x) = (Param::new(1.0), variable());
        let y = &x * &weight;
        *weight.value_mut() = tensor![2.0];
        _ = y * &weight;
    }),
    ("bound_shape", || {
        let x = variable();
        x.tape().bind(&Param::new(1.0), &x);
    }),
    ("bound_shape", || {
        let (weight, x) = (Param::new(1.0), variable());
        x.tape().with_bound([(&weight, &x)], || ());
    }),
    ("bound_too_late", || {
        let (weight, x) = (Param::new(matrix()), variable());
        let y = &x * &weight;
        y.tape().bind(&weight, &x);
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn a_parameter_used_twice_is_one_leaf() {
    let weight = Param::<f64>::new(3.0);
    let tape = Tape::new_f64();
    let y = (tape.constant(2.0) * &weight) * &weight;
    let gradients = y.backward();
    assert_eq!(gradients.len(), 1);
    assert_eq!(gradients[&weight].item(), 12.0);
}

#[test]
fn two_parameters_tied_to_one_variable_add_their_gradients() {
    let (a, b) = (Param::<f64>::new(0.0), Param::<f64>::new(0.0));
    let tape = Tape::new_f64();
    let shared = tape.var(3.0);
    tape.bind(&a, &shared);
    tape.bind(&b, &(&shared * 2.0));
    let y = (tape.constant(1.0) * &a) * &b;
    assert_eq!(y.item(), 18.0);
    assert_eq!(y.grad(&shared).item(), 12.0);
    assert_eq!(y.grad(&shared).grad(&shared).item(), 4.0);
    assert!(y.backward().get(&a).is_none(), "a bound parameter is not a leaf");
}

#[test]
fn bound_weights_are_read_for_a_while() {
    let weight = Param::<f64>::new(3.0);
    let tape = Tape::new_f64();
    let (before, other) = (tape.param(&weight), tape.var(5.0));
    let inside = tape.with_bound([(&weight, &other)], || {
        let nested = tape.with_bound([(&weight, &(&other * 2.0))], || tape.param(&weight));
        (tape.param(&weight), nested)
    });
    let after = tape.param(&weight);
    assert_eq!([&before, &inside.0, &inside.1, &after].map(|x| x.item()), [3.0, 5.0, 10.0, 3.0]);
    let product = &before * inside.1 * after;
    assert_eq!((product.grad(&other).item(), product.backward()[&weight].item()), (18.0, 60.0));
    // A value first read inside the binding is not kept afterwards.
    let unread = Param::<f64>::new(1.0);
    _ = tape.with_bound([(&unread, &other)], || tape.param(&unread));
    assert_eq!(tape.param(&unread).item(), 1.0);
}

#[test]
fn bindings_end_with_a_panic() {
    let weight = Param::new(3.0);
    let tape = Tape::new();
    let bound = tape.var(5.0);
    let message = message_of(|| tape.with_bound([(&weight, &bound)], || panic!("{}", tape.param(&weight).item())));
    assert_eq!(message, "5");
    assert_eq!(tape.param(&weight).item(), 3.0);
}
