//! Losses.

use crate::row::{BOTH_SIDES, Domain, PLAIN, POSITIVE, Row, pair, row};
use wengert::prelude::*;

/// Probabilities, away from the edges.
const PROBABILITY: Domain = &[(0.2, 0.8)];

/// Every loss, also with respect to its target.
pub fn table() -> Vec<Row> {
    let all = Reduction::None;
    // Errors below and above 1, where the Huber losses change their branch.
    let error: [Domain; 2] = [&[(2.1, 2.8), (3.2, 4.0)], &[(1.95, 2.05)]];
    let regression = [
        pair("mse_loss", [PLAIN, PLAIN], move |x, t| x.mse_loss(t, Reduction::Sum)),
        pair("l1_loss", [POSITIVE, &[(-2.0, -0.1)]], move |x, t| x.l1_loss(t, Reduction::None)),
        pair("huber_loss", error, |x, t| x.huber_loss(t, 1.0, Reduction::None)),
        pair("smooth_l1_loss", error, |x, t| x.smooth_l1_loss(t, 1.0, Reduction::None)),
        row("smooth_l1_loss", &[&[&[3]]], |x| x[0].smooth_l1_loss(0.0, 0.0, Reduction::None)).on(&[BOTH_SIDES]),
        row("mse_loss", &[&[&[2, 3], &[3]]], |x| x[0].mse_loss(&x[1], Reduction::Mean)),
        row("mse_loss", &[&[&[2, 3], &[3]], &[&[], &[]]], |x| x[0].mse_loss(&x[1], Reduction::BatchMean)),
    ];
    let probability = [
        pair("bce_loss", [PROBABILITY, PROBABILITY], |p, t| p.bce_loss(t, Reduction::None)),
        pair("bce_with_logits_loss", [PLAIN, PROBABILITY], |x, t| x.bce_with_logits_loss(t, Reduction::None)),
        row("bce_with_logits_weighted", &[&[&[2, 3], &[2, 3], &[3]]], move |x| {
            x[0].bce_with_logits_weighted(&x[1], &x[2], all)
        }),
        pair("kl_div_loss", [PLAIN, PROBABILITY], |x, t| x.kl_div_loss(t, Reduction::None)),
        pair("kl_div_log_loss", [PLAIN, PLAIN], |x, t| x.kl_div_log_loss(t, Reduction::None)),
    ];
    regression.into_iter().chain(probability).chain(classification()).collect()
}

/// Losses on labels, for rows, one row, and rows of positions.
fn classification() -> Vec<Row> {
    let rows: &[&[&[usize]]] = &[&[&[2, 3]]];
    let options = || CrossEntropy::new().label_smoothing(0.2).class_weights(&[0.5, 1.0, 2.0]).ignore_index(1);
    vec![
        row("softmax_cross_entropy", rows, |x| x[0].softmax_cross_entropy(&[2, 0])),
        row("softmax_cross_entropy", &[&[&[3]]], |x| x[0].softmax_cross_entropy(&[2])),
        row("softmax_cross_entropy", &[&[&[2, 3, 2]]], |x| x[0].softmax_cross_entropy(&[2, 0, 1, 1])),
        row("nll_loss", rows, |x| x[0].nll_loss(&[2, 0])),
        row("nll_loss", &[&[&[2, 3, 2]]], move |x| options().nll_loss(&x[0], &[2, 0, 1, 2])),
        row("loss", &[&[&[4, 3]], &[&[2, 3, 2]]], move |x| options().loss(&x[0], &[2, 0, 1, 2])),
        row("loss", &[&[&[4, 3]]], move |x| options().reduction(Reduction::None).loss(&x[0], &[2, 0, 1, 2])),
        row("loss_of_probabilities", &[&[&[2, 3], &[2, 3]]], |x| {
            CrossEntropy::new().label_smoothing(0.2).loss_of_probabilities(&x[0], &x[1])
        }),
    ]
}
