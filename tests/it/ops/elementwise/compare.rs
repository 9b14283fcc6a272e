//! The larger, the smaller, and what a mask chooses.

use crate::support::gradients::{BOTH_SIDES, Domain, PLAIN, Row, binary, check_gradients, row, unary};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let apart: [Domain; 2] = [&[(-2.0, -1.1), (1.1, 2.0)], &[(-1.0, 1.0)]];
    vec![
        binary("maximum", apart, |a, b| a.maximum(b)),
        binary("minimum", apart, |a, b| a.minimum(b)),
        unary("clamp", &[(-2.0, -1.1), (-0.9, 0.4), (0.6, 2.0)], |x| x.clamp(-1.0, 0.5)),
        unary("clamp", BOTH_SIDES, |x| x.clamp(f64::NEG_INFINITY, 0.0)),
        binary("where_mask", [PLAIN, PLAIN], |a, b| a.where_mask(&tensor![f64; 1.0], b)),
        row("where_mask", &[&[&[2, 2], &[2]], &[&[2, 1], &[]]], |x| {
            x[0].where_mask(&tensor![f64; [1.0, 0.0], [0.0, 1.0]], &x[1])
        }),
        row("masked_fill", &[&[&[2, 2]]], |x| x[0].masked_fill(&tensor![f64; 1.0, 0.0], 3.0)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_broadcast", || _ = variable().where_mask(&Tensor::ones([2]), 0.0)),
    ("wrong_shapes mask_does_not_fit", || _ = variable().masked_fill(&Tensor::ones([3, 3]), 0.0)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
