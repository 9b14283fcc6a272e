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

#[test]
fn a_stack_of_cholesky_factors_solves_for_one_vector() {
    let a = Tensor::stack(&[Tensor::<f64>::eye(2) * 4.0, Tensor::eye(2) * 9.0], 0);
    let (factor, b) = (a.cholesky(), tensor![f64; 36.0, 72.0]);
    let expected = tensor![f64; [9.0, 18.0], [4.0, 8.0]];
    assert_eq!(factor.cholesky_solve(&b), expected);
    assert_eq!(Tape::new_f64().constant(factor).cholesky_solve(&b).value(), &expected);
}
