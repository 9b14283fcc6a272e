//! Losses between probabilities.

use super::SAME;
use crate::support::compare::assert_close;
use crate::support::gradients::{Domain, PLAIN, Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

/// Probabilities away from 0 and 1.
const PROBABILITY: Domain = &[(0.2, 0.8)];

pub fn rows() -> Vec<Row> {
    vec![
        row("bce_loss", SAME, |x| x[0].bce_loss(&x[1], Reduction::None)).on(&[PROBABILITY]),
        row("bce_with_logits_loss", SAME, |x| x[0].bce_with_logits_loss(&x[1], Reduction::None)),
        row("bce_with_logits_pos_weight", &[&[&[2, 3], &[2, 3], &[3]]], |x| {
            x[0].bce_with_logits_pos_weight(&x[1], &x[2], Reduction::None)
        }),
        row("kl_div_loss", SAME, |x| x[0].kl_div_loss(&x[1], Reduction::None)).on(&[PLAIN, PROBABILITY]),
        row("kl_div_log_loss", SAME, |x| x[0].kl_div_log_loss(&x[1], Reduction::None)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("not_a_probability", || _ = Tape::new().var([0.5, 1.5]).bce_loss(tensor![1.0, 0.0], Reduction::Mean)),
    ("not_a_probability", || _ = Tape::new().var([0.5, f32::NAN]).bce_loss(tensor![1.0, 0.0], Reduction::Mean)),
    ("not_a_probability", || _ = Tape::new().var([0.5, 1.0]).bce_loss(tensor![-0.2, 0.0], Reduction::Mean)),
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
fn a_positive_weight_multiplies_the_terms_of_positive_targets() {
    let [x, t, weight] = [tensor![f64; 0.3, -1.2, 2.0], tensor![f64; 1.0, 0.0, 0.25], tensor![f64; 3.0, 2.0, 0.5]];
    let loss = Tape::new_f64().var(&x).bce_with_logits_pos_weight(&t, &weight, Reduction::None);
    let p = x.sigmoid();
    assert_close(loss.value(), &-(weight * &t * p.ln() + (1.0 - t) * (1.0 - p).ln()));
}

#[test]
fn terms_of_probability_0_are_0_for_infinite_scores() {
    const INF: f64 = f64::INFINITY;
    let tape = Tape::new_f64();
    let cases = [
        (tape.var([-INF, -0.1]).kl_div_loss(tensor![f64; 0.0, 1.0], Reduction::Sum), 0.1),
        (tape.var([-1.0, -0.5]).kl_div_log_loss(tensor![f64; -INF, 0.0], Reduction::Sum), 0.5),
        (tape.var([-INF, -0.5]).kl_div_log_loss(tensor![f64; -INF, 0.0], Reduction::Sum), 0.5),
        (tape.var([-INF, INF]).bce_with_logits_loss(tensor![f64; 0.0, 1.0], Reduction::Sum), 0.0),
    ];
    for (loss, right) in cases {
        assert_eq!(loss.item(), right);
    }
    let x = tape.var([[-INF, 1.0, 2.0]]);
    let loss = CrossEntropy::new().soft_target_loss(&x, tensor![f64; [0.0, 0.5, 0.5]]);
    assert!((loss.item() - 0.813_261_687_518_222_8).abs() < 1e-15);
    assert!(loss.grad(&x).value().as_slice().iter().all(|gradient| gradient.is_finite()));
}

#[test]
fn the_divergence_falls_infinitely_fast_from_a_target_of_0_and_is_nan_below() {
    let tape = Tape::new_f64();
    let (x, t) = (tape.constant([-1.0]), tape.var([0.0]));
    assert_eq!(x.kl_div_loss(&t, Reduction::Sum).grad(&t).item(), f64::NEG_INFINITY);
    assert!(x.kl_div_loss(tensor![f64; -1.0], Reduction::Sum).item().is_nan());
}

#[test]
fn a_positive_weight_of_0_drops_the_terms_of_infinite_scores() {
    let x = Tape::new_f64().var([f64::NEG_INFINITY, f64::INFINITY]);
    let loss = x.bce_with_logits_pos_weight(Tensor::ones([2]), 0.0, Reduction::Sum);
    assert_eq!((loss.item(), &loss.backward()[&x]), (0.0, &Tensor::zeros([2])));
}
