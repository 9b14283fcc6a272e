//! Linear algebra: factorizations and linear systems.

mod cholesky;
mod determinant;
mod inverse;
mod solve;
mod trace;
mod triangular;

use crate::support::gradients::{Row, Shapes};
use crate::support::panics::Panic;
use wengert::ops::Triangle;
use wengert::prelude::*;

/// Shapes of square matrices.
const SQUARE: Shapes = &[&[&[3, 3]], &[&[4, 4]], &[&[2, 2, 2]], &[&[1, 1]], &[&[0, 2, 2]]];
/// Shapes of linear systems.
const SYSTEMS: Shapes = &[
    &[&[3, 3], &[3, 2]],
    &[&[3, 3], &[3]],
    &[&[2, 2, 2], &[2, 1]],
    &[&[2, 2], &[3, 2, 1]],
    &[&[2, 1, 2, 2], &[3, 2, 1]],
    &[&[2, 2], &[2, 0]],
];

pub fn rows() -> Vec<Row> {
    let rows =
        [cholesky::rows(), determinant::rows(), inverse::rows(), solve::rows(), trace::rows(), triangular::rows()];
    rows.into_iter().flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [cholesky::PANICS, determinant::PANICS, inverse::PANICS, solve::PANICS, trace::PANICS, triangular::PANICS].concat()
}

/// A well-conditioned matrix.
fn regular(x: &Var<f64>) -> Var<f64> {
    x + Tensor::eye(x.shape()[x.shape().len() - 1]) * 4.0
}

/// Two matrices, of which the second is singular.
fn square() -> Var {
    let singular = tensor![[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 0.0]];
    let regular = Tensor::eye(3) * 2.0;
    Tape::new().var(Tensor::from_vec([regular.to_vec(), singular.to_vec()].concat(), [2, 3, 3]))
}

#[test]
fn solutions_and_factors_give_back_what_they_came_from() {
    let (mut rng, tape) = (wengert::rng(0), Tape::new_f64());
    let near = |x: &Var<f64>, y: &Var<f64>| assert!((x - y).value().map(f64::abs).max().item() < 1e-10);
    for n in [1, 2, 17, 64] {
        let a = tape.var(Tensor::randn([3, n, n], &mut rng));
        let b = tape.var(Tensor::randn([2, 1, n, 5], &mut rng));
        near(&a.matmul(a.solve(&b)), &b.broadcast_to([2, 3, n as isize, 5]));
        near(&a.inverse().matmul(&a), &tape.constant(Tensor::eye(n)).broadcast_to(a.shape().to_vec()));
        near(&a.matrix_power(-2), &a.matmul(&a).inverse());
        let (sign, logarithm) = a.slogdet();
        near(&(logarithm.exp() * sign / a.det()), &tape.constant(Tensor::ones([3])));
        let positive = a.matmul(a.transpose(-1, -2));
        let l = positive.cholesky();
        near(&l.matmul(l.transpose(-1, -2)), &positive);
        let definite = &positive + Tensor::eye(n);
        let solution = definite.cholesky().cholesky_solve(&b);
        near(&definite.matmul(solution), &b.broadcast_to([2, 3, n as isize, 5]));
        near(&l.matmul(l.solve_triangular(&b, Triangle::Lower)), &b.broadcast_to([2, 3, n as isize, 5]));
    }
}

#[test]
fn tensors_are_solved_as_variables_are() {
    let (rng, tape) = (&mut wengert::rng(0), Tape::new_f64());
    let a = Tensor::<f64>::randn([2, 3, 3], rng);
    let positive = a.matmul(&a.transpose(-1, -2));
    let (b, vector) = (Tensor::randn([3, 2], rng), Tensor::randn([3], rng));
    let (x, p) = (tape.constant(&a), tape.constant(&positive));
    for (found, expected) in [
        (a.inverse(), x.inverse()),
        (a.det(), x.det()),
        (a.trace(), x.trace()),
        (a.solve(&b), x.solve(&b)),
        (a.solve(&vector), x.solve(&vector)),
        (positive.cholesky(), p.cholesky()),
        (a.solve_triangular(&b, Triangle::Upper), x.solve_triangular(&b, Triangle::Upper)),
        (positive.cholesky().cholesky_solve(&vector), p.cholesky().cholesky_solve(&vector)),
    ] {
        assert_eq!(&found, expected.value());
    }
}
