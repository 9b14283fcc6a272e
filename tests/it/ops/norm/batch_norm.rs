//! Batch normalization, with statistics of the batch and given ones.

use super::EPSILON;
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::ops::BatchStatistics;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let batch: Shapes =
        &[&[&[4, 3], &[3], &[3]], &[&[2, 3, 2], &[3], &[3]], &[&[3, 3, 1, 1], &[3], &[3]], &[&[0, 3, 2], &[3], &[3]]];
    let given = |x: &[Var<f64>]| {
        let (mean, variance) = (tensor![f64; 0.5, -0.5, 1.0], tensor![f64; 1.0, 2.0, 0.5]);
        x[0].batch_norm(&x[1], &x[2], BatchStatistics::Given { mean: &mean, variance: &variance }, EPSILON).y
    };
    vec![
        row("batch_norm", batch, |x| x[0].batch_norm(&x[1], &x[2], BatchStatistics::OfBatch, EPSILON).y),
        row("batch_norm", &[&[&[3, 2]]], |x| x[0].batch_norm(2.0, -1.0, BatchStatistics::OfBatch, EPSILON).y),
        row("batch_norm", batch, given),
    ]
}

pub const PANICS: &[Panic] = &[
    ("no_channels", || _ = variable().sum_over(0).batch_norm(1.0, 0.0, BatchStatistics::OfBatch, 1e-5)),
    ("not_per_channel", || {
        _ = variable().batch_norm(Tensor::ones([2]), 0.0, BatchStatistics::OfBatch, 1e-5);
    }),
    ("not_per_channel", || {
        let (mean, variance) = (&Tensor::zeros([2]), &Tensor::ones([2]));
        _ = variable().batch_norm(1.0, 0.0, BatchStatistics::Given { mean, variance }, 1e-5);
    }),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
