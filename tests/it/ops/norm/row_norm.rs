//! Normalization of rows: layer, group and instance normalization.

use super::EPSILON;
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let layer: Shapes = &[&[&[3, 4], &[4], &[4]], &[&[4], &[4], &[4]], &[&[0, 4], &[4], &[4]]];
    let images: Shapes = &[&[&[2, 4, 3], &[4], &[4]], &[&[1, 4, 1, 2], &[4], &[4]], &[&[0, 4, 2], &[4], &[4]]];
    vec![
        row("layer_norm", layer, |x| x[0].layer_norm([4], &x[1], &x[2], EPSILON)),
        row("layer_norm", &[&[&[2, 2, 3], &[2, 3]]], |x| x[0].layer_norm([2, 3], &x[1], 0.0, EPSILON)),
        row("layer_norm", &[&[&[2, 0]]], |x| x[0].layer_norm([0], 1.0, 0.0, EPSILON)),
        row("rms_norm", &[&[&[3, 4], &[4]], &[&[4], &[4]]], |x| x[0].rms_norm([4], &x[1], EPSILON)),
        row("rms_norm", &[&[&[2, 2, 2]]], |x| x[0].rms_norm([2, 2], 1.0, EPSILON)),
        row("group_norm", images, |x| x[0].group_norm(2, &x[1], &x[2], EPSILON)),
        row("group_norm", &[&[&[3, 4], &[4]]], |x| x[0].group_norm(1, &x[1], 0.0, EPSILON)),
        row("instance_norm", &images[..2], |x| x[0].instance_norm(&x[1], &x[2], EPSILON)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("not_trailing", || _ = variable().layer_norm([2], 1.0, 0.0, 1e-5)),
    ("not_trailing", || _ = variable().rms_norm((), 1.0, 1e-5)),
    ("affine_shape", || _ = variable().layer_norm([3], Tensor::ones([2, 3]), 0.0, 1e-5)),
    ("no_channels", || _ = variable().sum_over(0).group_norm(1, 1.0, 0.0, 1e-5)),
    ("groups", || _ = variable().group_norm(2, 1.0, 0.0, 1e-5)),
    ("no_positions", || _ = variable().instance_norm(1.0, 0.0, 1e-5)),
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
fn rows_whose_squares_overflow_are_normalized() {
    let x = Tape::new().var([[3e20, 4e20]]);
    let y = x.rms_norm([2], 1.0, 1e-5);
    assert!((y.value() - tensor![[0.848_528_15, 1.131_370_8]]).abs().max().item() < 1e-6);
    assert!((x.layer_norm([2], 1.0, 0.0, 1e-5).value() - tensor![[-1.0, 1.0]]).abs().max().item() < 1e-6);
    let g = y.sum().backward();
    assert!((&g[&x] * 1e20 - tensor![[0.045_254_84, -0.033_941_13]]).abs().max().item() < 1e-6);
    let x = Tape::new_f64().var([[3e200, 4e200]]);
    assert!((x.rms_norm([2], 1.0, 1e-5).value() - tensor![f64; [0.6, 0.8]] * 2f64.sqrt()).abs().max().item() < 1e-15);
    for y in [x.layer_norm([2], 1.0, 0.0, 1e-5), x.group_norm(1, 1.0, 0.0, 1e-5)] {
        assert!((y.value() - tensor![f64; [-1.0, 1.0]]).abs().max().item() < 1e-15);
    }
    let g = x.rms_norm([2], 1.0, 1e-5).sum().backward();
    assert!((&g[&x] * 1e200 - tensor![f64; [0.045_254_84, -0.033_941_13]]).abs().max().item() < 1e-6);
}
