//! Matrix products for every combination of ranks.

use crate::support::gradients::{POSITIVE, Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_jacobian};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let matmul: [&[&[usize]]; 10] = [
        &[&[2, 3], &[3, 4]],
        &[&[3], &[3]],
        &[&[3], &[3, 2]],
        &[&[2, 3], &[3]],
        &[&[2, 2, 3], &[3, 2]],
        &[&[2, 3], &[2, 3, 2]],
        &[&[2, 1, 2, 3], &[2, 3, 2]],
        &[&[2, 2, 3], &[3]],
        &[&[2, 0], &[0, 3]],
        &[&[0, 2], &[2, 3]],
    ];
    let linear: [&[&[usize]]; 4] =
        [&[&[4, 3], &[2, 3], &[2]], &[&[3], &[2, 3], &[2]], &[&[2, 2, 3], &[2, 3], &[2]], &[&[0, 3], &[2, 3], &[2]]];
    vec![
        row("matmul", &[&[&[2, 2]], &[&[3]]], |x| x[0].matmul(&x[0])),
        row("matmul", &matmul, |x| x[0].matmul(&x[1])),
        row("linear_bias", &linear, |x| x[0].linear_bias(&x[1], &x[2])),
        row("linear", &linear.map(|case| &case[..2]), |x| x[0].linear(&x[1])).on(&[POSITIVE]),
        row("dot", &[&[&[3], &[3]], &[&[0], &[0]]], |x| x[0].dot(&x[1])),
        row("outer", &[&[&[3], &[2]], &[&[0], &[2]]], |x| x[0].outer(&x[1])),
        row("addmm", &[&[&[2, 2], &[2, 3], &[3, 2]], &[&[2], &[1, 3], &[3, 2]]], |x| {
            x[0].addmm(&x[1], &x[2], 0.5, -2.0)
        }),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_chain", || _ = variable().matmul(matrix())),
    ("wrong_shapes no_matrices", || _ = variable().matmul(2.0)),
    ("wrong_shapes batches_do_not_broadcast", || {
        _ = variable().broadcast_to([2, 2, 3]).matmul(Tensor::ones([3, 3, 2]));
    }),
    ("wrong_shapes not_linear", || _ = variable().linear(Tensor::ones([3]))),
    ("wrong_shapes linear_inputs", || _ = variable().linear(Tensor::ones([3, 2]))),
    ("wrong_shapes linear_bias", || _ = variable().linear_bias(Tensor::ones([4, 3]), Tensor::ones([3]))),
    ("wrong_shapes not_vectors", || _ = variable().dot(Tensor::ones([3]))),
    ("wrong_shapes not_vectors", || _ = variable().outer(2.0)),
    ("wrong_shapes sizes_differ", || _ = variable().sum_over(0).dot(Tensor::ones([4]))),
    ("wrong_shapes do_not_chain", || _ = variable().addmm(matrix(), matrix(), 1.0, 1.0)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("matmul", |draw| {
        let (m, k, n, batch) = (draw.size(1, 4), draw.size(1, 4), draw.size(1, 4), draw.size(1, 3));
        let left = if draw.coin() { vec![batch, m, k] } else { vec![m, k] };
        case([left, vec![batch, k, n]], |x| x[0].matmul(&x[1]))
    })]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn products_with_vectors_are_those_with_columns_of_a_matrix() {
    let mut rng = wengert::rng(0);
    for (m, k) in [(1, 1), (3, 1), (1, 40), (70, 33), (5, 600)] {
        let (a, b): (Tensor<f64>, Tensor<f64>) = (Tensor::randn([m, k], &mut rng), Tensor::randn([k, 2], &mut rng));
        let product = a.matmul(&b);
        for column in 0..2 {
            let y = a.matmul(&b.select(1, column));
            assert!((y - product.select(1, column)).iter().all(|rest| rest.abs() < 1e-12), "[{m}, {k}]");
        }
    }
}
