//! Cholesky factorization.

use super::{SQUARE, regular, square};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![row("cholesky", SQUARE, |x| regular(&(x[0].matmul(x[0].transpose(-1, -2)) + &x[0])).cholesky())]
}

pub const PANICS: &[Panic] = &[("not_positive_definite", || _ = (square() - Tensor::eye(3) * 1.5).cholesky())];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
