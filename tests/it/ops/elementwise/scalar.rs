//! Operators with a number on one side.

use crate::support::gradients::{PLAIN, POSITIVE, Row, check_gradients, unary};

pub fn rows() -> Vec<Row> {
    vec![
        unary("add_scalar", PLAIN, |x| (x + 2.0) * (2.0 + x)),
        unary("rsub_scalar", PLAIN, |x| (2.0 - x) * (x - 2.0)),
        unary("mul_scalar", PLAIN, |x| (x * 3.0) * (3.0 * x)),
        unary("div_scalar", PLAIN, |x| x / 3.0),
        unary("rdiv_scalar", POSITIVE, |x| 3.0 / x),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
