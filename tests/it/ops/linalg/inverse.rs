//! Inverses and matrix powers.

use super::{SQUARE, regular, square};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;

pub fn rows() -> Vec<Row> {
    vec![
        row("inverse", SQUARE, |x| regular(&x[0]).inverse()),
        row("matrix_power", SQUARE, |x| x[0].matrix_power(5) + x[0].matrix_power(1) + x[0].matrix_power(0)),
        row("matrix_power", SQUARE, |x| regular(&x[0]).matrix_power(-2)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes not_square", || _ = variable().matrix_power(0)),
    ("singular", || _ = square().inverse()),
    ("singular", || _ = square().matrix_power(-1)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
