//! The operators + − × ÷ between variables, tensors and parameters.

use crate::support::gradients::{PLAIN, POSITIVE, Row, binary, check_gradients, row, unary};
use crate::support::panics::{Panic, messages};
use crate::support::random::{any, broadcasting, check_jacobian, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let tensor = || tensor![f64; [0.5], [-1.5]];
    vec![
        unary("neg", PLAIN, |x| -x),
        binary("add", [PLAIN, PLAIN], |a, b| a + b),
        unary("add", PLAIN, |x| x + x),
        row("add", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] + tensor()) * (tensor() + &x[0])),
        binary("sub", [PLAIN, PLAIN], |a, b| a - b),
        unary("sub", PLAIN, |x| x - x.clone()),
        row("sub", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] - &tensor()) * (&tensor() - &x[0])),
        binary("mul", [PLAIN, PLAIN], |a, b| a * b),
        unary("mul", PLAIN, |x| x * x),
        row("mul", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] * tensor()) * (tensor() * &x[0])),
        binary("div", [PLAIN, POSITIVE], |a, b| a / b),
        unary("div", POSITIVE, |x| x / x.clone()),
        row("div", &[&[&[2, 1]], &[&[3]]], move |x| (&x[0] / Param::new(tensor())) + (&Param::new(tensor()) / &x[0]))
            .on(&[POSITIVE]),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_broadcast", || _ = variable() + &Tensor::ones([4])),
    ("wrong_shapes do_not_broadcast", || _ = &Tensor::ones([4]) - variable() * 2.0),
    ("wrong_shapes do_not_broadcast", || _ = &Param::new([1.0, 2.0]) / &variable()),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("neg", |draw| any(draw, |x| -x)),
        ("add", |draw| broadcasting(draw, |a, b| a + b)),
        ("sub", |draw| broadcasting(draw, |a, b| a - b)),
    ]);
    check_jacobian(&[
        ("mul", |draw| broadcasting(draw, |a, b| a * b)),
        ("div", |draw| broadcasting(draw, |a, b| a / (b.square() + 1.0))),
    ]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn variables_are_assigned_to() {
    let tape = Tape::new();
    let (a, b) = (tape.var(3.0), Param::new(2.0));
    let mut y = a.clone();
    y += &b;
    y *= 4;
    y -= &a;
    y /= 2.0;
    assert_eq!(y.item(), 8.5);
    let gradients = y.backward();
    assert_eq!((gradients[&a].item(), gradients[&b].item()), (1.5, 2.0));
}

#[test]
fn sums_of_variables_flow_to_each() {
    let tape = Tape::new();
    let xs = [tape.var([1.0, 2.0]), tape.var([3.0, 4.0]), tape.var([5.0, 6.0])];
    let total: Var = xs.iter().map(Var::square).sum();
    assert_eq!(total.value(), &tensor![35.0, 56.0]);
    assert_eq!(xs.iter().sum::<Var>().value(), &tensor![9.0, 12.0]);
    assert_eq!(total.sum().backward()[&xs[2]], tensor![10.0, 12.0]);
}

#[test]
#[should_panic(expected = "sum: there are no variables")]
fn a_sum_of_no_variables_is_explained() {
    let nothing: [Var; 0] = [];
    _ = nothing.iter().sum::<Var>();
}
