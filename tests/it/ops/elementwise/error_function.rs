//! The error function.

use crate::support::gradients::{PLAIN, Row, check_gradients, unary};

pub fn rows() -> Vec<Row> {
    vec![unary("erf", PLAIN, |x| x.erf()), unary("erfc", PLAIN, |x| x.erfc())]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
