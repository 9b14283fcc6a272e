//! Linear systems.

use super::{SYSTEMS, regular, square};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![row("solve", SYSTEMS, |x| regular(&x[0]).solve(&x[1]))]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes not_square", || _ = variable().solve(matrix())),
    ("wrong_shapes do_not_chain", || _ = square().solve(Tensor::ones([4]))),
    ("singular", || _ = square().solve(Tensor::ones([3, 1]))),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
