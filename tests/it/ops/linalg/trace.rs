//! Traces.

use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;

pub fn rows() -> Vec<Row> {
    vec![row("trace", &[&[&[2, 3]], &[&[2, 3, 2]], &[&[0, 2]]], |x| x[0].trace())]
}

pub const PANICS: &[Panic] = &[("wrong_shapes not_a_matrix", || _ = variable().sum_over(0).trace())];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
