//! Powers and roots.

use crate::support::gradients::{BOTH_SIDES, PLAIN, POSITIVE, Row, binary, check_gradients, unary};

pub fn rows() -> Vec<Row> {
    vec![
        unary("square", PLAIN, |x| x.square()),
        unary("sqrt", POSITIVE, |x| x.sqrt()),
        unary("rsqrt", POSITIVE, |x| x.rsqrt()),
        unary("reciprocal", BOTH_SIDES, |x| x.reciprocal()).on(&[&[(-2.0, -0.5), (0.5, 2.0)]]),
        unary("powi", POSITIVE, |x| x.powi(0) + x.powi(1) + x.powi(2) + x.powi(5) + x.powi(-2)),
        unary("powf", POSITIVE, |x| x.powf(0.0) + x.powf(2.7) + x.powf(-0.5)),
        binary("pow", [POSITIVE, PLAIN], |a, b| a.pow(b)),
        unary("pow", POSITIVE, |x| x.pow(x)),
        binary("hypot", [POSITIVE, PLAIN], |a, b| a.hypot(b)),
        unary("hypot", POSITIVE, |x| x.hypot(x)),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}
