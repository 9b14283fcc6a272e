//! Exponentials and logarithms.

use crate::support::gradients::{PLAIN, POSITIVE, Row, binary, check_gradients, unary};
use crate::support::random::{any, check_jacobian};

pub fn rows() -> Vec<Row> {
    vec![
        unary("exp", PLAIN, |x| x.exp()),
        unary("exp2", PLAIN, |x| x.exp2()),
        unary("expm1", PLAIN, |x| x.expm1()),
        unary("ln", POSITIVE, |x| x.ln()),
        unary("log1p", POSITIVE, |x| x.log1p()),
        unary("log2", POSITIVE, |x| x.log2()),
        unary("log10", POSITIVE, |x| x.log10()),
        binary("logaddexp", [PLAIN, PLAIN], |a, b| a.logaddexp(b)),
        unary("logaddexp", PLAIN, |x| x.logaddexp(x)),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("exp", |draw| any(draw, |x| x.exp()))]);
}
