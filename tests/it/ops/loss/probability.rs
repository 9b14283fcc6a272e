//! Losses between probabilities.

use crate::support::gradients::{Domain, PLAIN, Row, binary, check_gradients, row};
use wengert::prelude::*;

/// Probabilities away from 0 and 1.
const PROBABILITY: Domain = &[(0.2, 0.8)];

pub fn rows() -> Vec<Row> {
    vec![
        binary("bce_loss", [PROBABILITY, PROBABILITY], |p, t| p.bce_loss(t, Reduction::None)),
        binary("bce_with_logits_loss", [PLAIN, PROBABILITY], |x, t| x.bce_with_logits_loss(t, Reduction::None)),
        row("bce_with_logits_pos_weight", &[&[&[2, 3], &[2, 3], &[3]]], |x| {
            x[0].bce_with_logits_pos_weight(&x[1], &x[2], Reduction::None)
        }),
        binary("kl_div_loss", [PLAIN, PROBABILITY], |x, t| x.kl_div_loss(t, Reduction::None)),
        binary("kl_div_log_loss", [PLAIN, PLAIN], |x, t| x.kl_div_log_loss(t, Reduction::None)),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
