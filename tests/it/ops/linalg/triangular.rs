//! Triangular linear systems.

use super::{SYSTEMS, regular, square};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use wengert::ops::Triangle;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("solve_triangular", SYSTEMS, |x| regular(&x[0]).solve_triangular(&x[1], Triangle::Lower)),
        row("solve_triangular", SYSTEMS, |x| regular(&x[0]).solve_triangular(&x[1], Triangle::Upper)),
        row("solve_triangular", SYSTEMS, |x| regular(&x[0]).cholesky_solve(&x[1])),
    ]
}

pub const PANICS: &[Panic] = &[
    ("singular", || _ = square().solve_triangular(Tensor::ones([3]), Triangle::Upper)),
    ("wrong_shapes do_not_chain", || _ = square().cholesky_solve(Tensor::ones([2]))),
    ("wrong_shapes do_not_chain", || _ = square().value().cholesky_solve(Tensor::ones([2]))),
    ("wrong_shapes do_not_chain", || _ = square().value().solve_triangular(Tensor::ones([2]), Triangle::Lower)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
