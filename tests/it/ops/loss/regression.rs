//! Losses between real values.

use super::SAME;
use crate::support::gradients::{BOTH_SIDES, Domain, POSITIVE, Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    // Errors below and above 1, where the Huber losses change branch.
    let error: [Domain; 2] = [&[(2.1, 2.8), (3.2, 4.0)], &[(1.95, 2.05)]];
    vec![
        row("mse_loss", SAME, |x| x[0].mse_loss(&x[1], Reduction::Sum)),
        row("mse_loss", &SAME[..3], |x| x[0].mse_loss(&x[1], Reduction::BatchMean)),
        row("l1_loss", SAME, |x| x[0].l1_loss(&x[1], Reduction::None)).on(&[POSITIVE, &[(-2.0, -0.1)]]),
        row("huber_loss", SAME, |x| x[0].huber_loss(&x[1], 1.0, Reduction::None)).on(&error),
        row("huber_loss", &SAME[..3], |x| x[0].huber_loss(&x[1], 0.9, Reduction::Sum)).on(&error),
        row("smooth_l1_loss", &SAME[..3], |x| x[0].smooth_l1_loss(&x[1], 0.9, Reduction::Sum)).on(&error),
        row("smooth_l1_loss", &SAME[..3], |x| x[0].smooth_l1_loss(&x[1], 1.0, Reduction::Mean)).on(&error),
        row("smooth_l1_loss", &[&[&[3]]], |x| x[0].smooth_l1_loss(tensor![f64; 0.0, 0.0, 0.0], 0.0, Reduction::None))
            .on(&[BOTH_SIDES]),
    ]
}

/// The loss of `variable()`, of shape [2, 3], for a target of another shape.
macro_rules! of_another_shape {
    ($($loss:ident($($setting:expr)?) $target:expr;)*) => {
        [$(("wrong_shapes target_shape", || _ = variable().$loss($target, $($setting,)? Reduction::Mean))),*]
    };
}

pub const SHAPES: [Panic; 8] = of_another_shape! {
    mse_loss() Tensor::ones([3]);
    l1_loss() 0.0;
    huber_loss(1.0) Tensor::ones([6]);
    smooth_l1_loss(1.0) Tensor::ones([2, 1]);
    bce_loss() Tensor::ones([3]);
    bce_with_logits_loss() Tensor::ones([3, 2]);
    kl_div_loss() 1.0;
    kl_div_log_loss() Tensor::ones([1, 3]);
};

pub const PANICS: &[Panic] = &[
    ("option", || _ = variable().huber_loss(variable().value(), 0.0, Reduction::Mean)),
    ("option", || _ = variable().huber_loss(variable().value(), -1.0, Reduction::Mean)),
    ("option", || _ = variable().smooth_l1_loss(variable().value(), -1.0, Reduction::Mean)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(&[PANICS, &SHAPES].concat()));
}

#[test]
fn a_delta_beyond_the_range_of_the_elements_is_no_bound() {
    let x = Tape::new().var([1e-3, -2.0]);
    for delta in [1e38, f64::MAX] {
        let y = x.huber_loss(tensor![0.0, 0.0], delta, Reduction::Sum);
        assert_eq!((y.item(), y.backward()[&x].clone()), (2.0 + 5e-7, tensor![1e-3, -2.0]));
        assert!(x.smooth_l1_loss(tensor![0.0, 0.0], delta, Reduction::Sum).item() < 1e-37);
    }
    let y = x.smooth_l1_loss(tensor![0.0, 0.0], 1e-60, Reduction::Sum);
    assert_eq!((y.item(), y.backward()[&x].clone()), (2.001, tensor![1.0, -1.0]));
}

#[test]
fn an_infinite_error_does_not_make_the_gradient_nan() {
    for (x, t, sign) in [(3e38, -3e38, 1.0), (f32::NEG_INFINITY, 0.0, -1.0)] {
        let (x, t) = (Tape::new().var([x]), tensor![t]);
        assert_eq!(x.huber_loss(&t, 2.0, Reduction::Sum).grad(&x).item(), 2.0 * sign);
        assert_eq!(x.smooth_l1_loss(&t, 2.0, Reduction::Sum).grad(&x).item(), sign);
        assert_eq!(x.smooth_l1_loss(&t, 2.0, Reduction::Sum).item(), f32::INFINITY);
    }
}
