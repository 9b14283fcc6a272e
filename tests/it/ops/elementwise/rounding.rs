//! Rounding, away from the steps.

use crate::support::gradients::{Row, check_gradients, unary};

pub fn rows() -> Vec<Row> {
    vec![
        unary("floor", &[(-1.9, -1.1), (0.1, 0.9)], |x| x.floor()),
        unary("ceil", &[(-1.9, -1.1), (0.1, 0.9)], |x| x.ceil()),
        unary("round", &[(-1.4, -0.6), (0.6, 1.4)], |x| x.round()),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
