//! Determinants.

use super::{SQUARE, regular};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("det", SQUARE, |x| x[0].det()),
        row("det", &[&[&[3], &[3]]], |x| x[0].outer(&x[1]).det()),
        row("slogdet", SQUARE, |x| regular(&x[0]).slogdet().1),
    ]
}

pub const PANICS: &[Panic] =
    &[("wrong_shapes not_square", || _ = variable().det()), ("wrong_shapes not_square", || _ = variable().slogdet())];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
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
fn the_gradient_of_a_determinant_needs_no_further_axes() {
    let shape = [vec![1; 62], vec![2, 2]].concat();
    let a = Tape::new_f64().var(Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], &shape));
    let cofactors = a.det().sum().grad(&a);
    assert_eq!(cofactors.value(), &Tensor::from_vec(vec![4.0, -3.0, -2.0, 1.0], &shape));
    assert_eq!((&cofactors * &a).sum().grad(&a).value(), &Tensor::from_vec(vec![8.0, -6.0, -4.0, 2.0], &shape));
}
