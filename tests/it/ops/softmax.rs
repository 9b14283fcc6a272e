//! Softmax, log-softmax and logsumexp.

use crate::support::compare::assert_same_orders;
use crate::support::gradients::{ANY_RANK, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{along, check_jacobian};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("softmax", ANY_RANK, |x| x[0].softmax(-1)),
        row("softmax", THREE_AXES, |x| x[0].softmax(1)),
        row("softmax", &[&[&[0, 3]], &[&[3, 0]]], |x| x[0].softmax(-1)),
        row("log_softmax", ANY_RANK, |x| x[0].log_softmax(-1)),
        row("log_softmax", THREE_AXES, |x| x[0].log_softmax(0)),
        row("logsumexp", ANY_RANK, |x| x[0].logsumexp()),
        row("logsumexp_over", THREE_AXES, |x| x[0].logsumexp_over(keepdim([0, 2]))),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().softmax(2)),
    ("axis_out_of_range", || _ = variable().log_softmax(-3)),
    ("axis_out_of_range", || _ = variable().logsumexp_over(2)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[
        ("logsumexp_over", |draw| along(draw, |x, axis| x.logsumexp_over(axis))),
        ("softmax", |draw| along(draw, |x, axis| x.softmax(axis))),
        ("log_softmax", |draw| along(draw, |x, axis| x.log_softmax(axis))),
    ]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn softmax_is_its_composition_at_every_order() {
    let softmax = |x: &Var<f64>| x.exp() / x.exp().sum_over(keepdim(1));
    assert_same_orders(|x| x.softmax(1), softmax);
    assert_same_orders(|x| x.log_softmax(1), |x| softmax(x).ln());
    assert_same_orders(|x| x.logsumexp_over(1), |x| x.exp().sum_over(1).ln());
}
