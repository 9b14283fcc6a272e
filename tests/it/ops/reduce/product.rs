//! Products of elements.

use crate::support::gradients::{ANY_RANK, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{along, check_jacobian};
use crate::support::samples::variable;

pub fn rows() -> Vec<Row> {
    vec![
        row("prod", ANY_RANK, |x| x[0].prod()),
        row("prod", &[&[&[0]]], |x| x[0].prod()),
        row("prod_over", THREE_AXES, |x| x[0].prod_over([0, 2])),
    ]
}

pub const PANICS: &[Panic] = &[("axis_out_of_range", || _ = variable().prod_over(2))];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("prod_over", |draw| along(draw, |x, axis| x.prod_over(axis)))]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
