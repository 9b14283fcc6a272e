//! Absolute values and signs, away from the kink at 0.

use crate::support::gradients::{BOTH_SIDES, Row, check_gradients, unary};

pub fn rows() -> Vec<Row> {
    vec![unary("abs", BOTH_SIDES, |x| x.abs()), unary("sign", BOTH_SIDES, |x| x.sign())]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
