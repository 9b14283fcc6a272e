//! Selection by a mask.

use crate::support::gradients::{PLAIN, Row, binary, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        binary("where_", [PLAIN, PLAIN], |a, b| a.where_(&tensor![f64; 1.0], b)),
        row("where_", &[&[&[2, 2], &[2]], &[&[2, 1], &[]]], |x| {
            x[0].where_(&tensor![f64; [1.0, 0.0], [0.0, 1.0]], &x[1])
        }),
        row("masked_fill", &[&[&[2, 2]]], |x| x[0].masked_fill(&tensor![f64; 1.0, 0.0], 3.0)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_broadcast", || _ = variable().where_(&Tensor::ones([2]), 0.0)),
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
