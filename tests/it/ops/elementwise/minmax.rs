//! Elementwise maxima and minima.

use crate::support::gradients::{BOTH_SIDES, Domain, Row, binary, check_gradients, unary};

pub fn rows() -> Vec<Row> {
    let apart: [Domain; 2] = [&[(-2.0, -1.1), (1.1, 2.0)], &[(-1.0, 1.0)]];
    vec![
        binary("maximum", apart, |a, b| a.maximum(b)),
        binary("minimum", apart, |a, b| a.minimum(b)),
        unary("clamp", &[(-2.0, -1.1), (-0.9, 0.4), (0.6, 2.0)], |x| x.clamp(-1.0, 0.5)),
        unary("clamp", BOTH_SIDES, |x| x.clamp(f64::NEG_INFINITY, 0.0)),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
