//! Trigonometric functions and their inverses.

use super::UNIT;
use crate::support::gradients::{PLAIN, POSITIVE, Row, binary, check_gradients, unary};
use crate::support::random::{any, check_jacobian};

pub fn rows() -> Vec<Row> {
    vec![
        unary("sin", PLAIN, |x| x.sin()),
        unary("cos", PLAIN, |x| x.cos()),
        unary("tan", UNIT, |x| x.tan()),
        unary("asin", UNIT, |x| x.asin()),
        unary("acos", UNIT, |x| x.acos()),
        unary("atan", PLAIN, |x| x.atan()),
        binary("atan2", [PLAIN, POSITIVE], |a, b| a.atan2(b)),
        unary("atan2", POSITIVE, |x| x.atan2(x)),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("sin", |draw| any(draw, |x| x.sin()))]);
}
