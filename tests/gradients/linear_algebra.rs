//! Linear algebra: products of vectors, factorisations and systems of equations.

use crate::row::{Row, row};
use wengert::ops::Triangle;
use wengert::prelude::*;

/// Shapes of square matrices.
const SQUARE: &[&[&[usize]]] = &[&[&[3, 3]], &[&[4, 4]], &[&[2, 2, 2]], &[&[1, 1]], &[&[0, 2, 2]]];
/// Shapes of systems of equations.
const SYSTEMS: &[&[&[usize]]] = &[
    &[&[3, 3], &[3, 2]],
    &[&[3, 3], &[3]],
    &[&[2, 2, 2], &[2, 1]],
    &[&[2, 2], &[3, 2, 1]],
    &[&[2, 1, 2, 2], &[3, 2, 1]],
    &[&[2, 2], &[2, 0]],
];

/// A matrix that is far from singular.
fn regular(x: &Var<f64>) -> Var<f64> {
    x + Tensor::eye(x.shape()[x.shape().len() - 1]) * 4.0
}

/// Every operation.
pub fn table() -> Vec<Row> {
    vec![
        row("dot", &[&[&[3], &[3]], &[&[0], &[0]]], |x| x[0].dot(&x[1])),
        row("outer", &[&[&[3], &[2]], &[&[0], &[2]]], |x| x[0].outer(&x[1])),
        row("addmm", &[&[&[2, 2], &[2, 3], &[3, 2]], &[&[2], &[1, 3], &[3, 2]]], |x| {
            x[0].addmm(&x[1], &x[2], 0.5, -2.0)
        }),
        row("trace", &[&[&[2, 3]], &[&[2, 3, 2]], &[&[0, 2]]], |x| x[0].trace()),
        row("det", SQUARE, |x| x[0].det()),
        row("slogdet", SQUARE, |x| regular(&x[0]).slogdet().1),
        row("inverse", SQUARE, |x| regular(&x[0]).inverse()),
        row("matrix_power", SQUARE, |x| x[0].matrix_power(5) + x[0].matrix_power(1) + x[0].matrix_power(0)),
        row("matrix_power", SQUARE, |x| regular(&x[0]).matrix_power(-2)),
        row("solve", SYSTEMS, |x| regular(&x[0]).solve(&x[1])),
        row("solve_triangular", SYSTEMS, |x| regular(&x[0]).solve_triangular(&x[1], Triangle::Lower)),
        row("solve_triangular", SYSTEMS, |x| regular(&x[0]).solve_triangular(&x[1], Triangle::Upper)),
        row("cholesky", SQUARE, |x| regular(&(x[0].matmul(x[0].transpose(-1, -2)) + &x[0])).cholesky()),
        row("det", &[&[&[3], &[3]]], |x| x[0].outer(&x[1]).det()),
    ]
}

#[test]
fn a_determinant_is_differentiable_at_singular_matrices() {
    let small = [
        tensor![f64; [1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
        tensor![f64; [1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [-1.0, -2.0, -3.0]],
        Tensor::zeros([3, 3]),
        Tensor::zeros([1, 1]),
        tensor![f64; [[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]],
    ];
    for a in small {
        assert_eq!(check::gradients_to_order(3, |x| x[0].det(), &[a]), Ok(()));
    }
    for rank in 0..4 {
        let factor = |seed| Tensor::<f64>::randn([4, rank], &mut wengert::rng(seed));
        let a = factor(1).matmul(&factor(2).transpose(0, 1));
        assert_eq!(check::gradients(|x| x[0].det(), &[a]), Ok(()), "rank {rank}");
    }
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
        near(&l.matmul(l.solve_triangular(&b, Triangle::Lower)), &b.broadcast_to([2, 3, n as isize, 5]));
    }
}
