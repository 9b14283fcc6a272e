//! Means, variances and standard deviations.

use crate::support::gradients::{ANY_RANK, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{along, check_jacobian, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("mean", ANY_RANK, |x| x[0].mean()),
        row("mean_over", THREE_AXES, |x| x[0].mean_over(keepdim([0, 2]))),
        row("var", &[&[&[2, 3]], &[&[4]]], |x| x[0].var()),
        row("var_over", THREE_AXES, |x| x[0].var_over([0, 2], 0.0)),
        row("std", &[&[&[2, 3]], &[&[4]]], |x| x[0].std()),
        row("std_over", THREE_AXES, |x| x[0].std_over(keepdim(1), 1.0)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().std_over(keepdim(2), 1.0)),
    ("axis_twice", || _ = variable().var_over([1, 1], 0.0)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[("mean_over", |draw| along(draw, |x, axis| x.mean_over(keepdim(axis))))]);
    check_jacobian(&[("var_over", |draw| along(draw, |x, axis| x.var_over(axis, 0.0)))]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
