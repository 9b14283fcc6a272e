//! Losses between real values.

use crate::support::gradients::{BOTH_SIDES, Domain, PLAIN, POSITIVE, Row, binary, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    // Errors below and above 1, where the Huber losses change branch.
    let error: [Domain; 2] = [&[(2.1, 2.8), (3.2, 4.0)], &[(1.95, 2.05)]];
    vec![
        binary("mse_loss", [PLAIN, PLAIN], move |x, t| x.mse_loss(t, Reduction::Sum)),
        row("mse_loss", &[&[&[2, 3], &[3]]], |x| x[0].mse_loss(&x[1], Reduction::Mean)),
        row("mse_loss", &[&[&[2, 3], &[3]], &[&[], &[]]], |x| x[0].mse_loss(&x[1], Reduction::BatchMean)),
        binary("l1_loss", [POSITIVE, &[(-2.0, -0.1)]], move |x, t| x.l1_loss(t, Reduction::None)),
        binary("huber_loss", error, |x, t| x.huber_loss(t, 1.0, Reduction::None)),
        binary("smooth_l1_loss", error, |x, t| x.smooth_l1_loss(t, 1.0, Reduction::None)),
        row("smooth_l1_loss", &[&[&[3]]], |x| x[0].smooth_l1_loss(0.0, 0.0, Reduction::None)).on(&[BOTH_SIDES]),
    ]
}

pub const PANICS: &[Panic] =
    &[("wrong_shapes do_not_broadcast", || _ = variable().mse_loss(Tensor::ones([4]), Reduction::Mean))];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
