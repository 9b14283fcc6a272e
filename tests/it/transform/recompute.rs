//! Recomputed functions.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("reads_parameters", || {
        let layer = std::rc::Rc::new(Linear::new(3, 2, Init::He, &mut wengert::rng(0)));
        _ = variable().recompute(move |x| layer.forward(x));
    }),
    ("two_tapes", || {
        let (x, y) = (variable(), variable());
        _ = x.recompute(move |_| y.exp());
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn derivatives_of_any_order_are_those_of_the_function() {
    let x = tensor![f64; [0.3, -1.2], [0.7, 0.1]];
    let f = |x: &Var<f64>| x.matmul(x).tanh() * x.exp();
    assert!(check::gradients_to_order(3, |x| x[0].recompute(f), std::slice::from_ref(&x)).is_ok());
    assert!(check::gradients(|x| x[0].recompute(move |x| x.square().recompute(f)) * &x[0], &[x]).is_ok(), "nested");
}
