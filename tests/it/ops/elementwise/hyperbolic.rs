//! Hyperbolic functions and their inverses.

use super::UNIT;
use crate::support::gradients::{PLAIN, Row, check_gradients, unary};
use crate::support::random::{any, check_jacobian};

pub fn rows() -> Vec<Row> {
    vec![
        unary("sinh", PLAIN, |x| x.sinh()),
        unary("cosh", PLAIN, |x| x.cosh()),
        unary("tanh", PLAIN, |x| x.tanh()),
        unary("asinh", PLAIN, |x| x.asinh()),
        unary("acosh", &[(1.5, 3.0)], |x| x.acosh()),
        unary("atanh", UNIT, |x| x.atanh()),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("tanh", |draw| any(draw, |x| x.tanh()))]);
}
