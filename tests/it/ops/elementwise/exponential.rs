//! Exponentials and logarithms.

use crate::support::gradients::{PLAIN, POSITIVE, Row, binary, check_gradients, unary};
use crate::support::random::{any, check_jacobian};
use wengert::prelude::*;

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

#[test]
fn the_gradient_of_logaddexp_of_infinities_is_not_nan() {
    for (infinity, right) in [(f64::NEG_INFINITY, 0.0), (f64::INFINITY, 1.0)] {
        let x = Tape::new_f64().var(infinity);
        assert_eq!(x.logaddexp(&x).backward()[&x].item(), right);
    }
}

#[test]
fn a_sum_of_exponentials_beside_infinities_has_the_shares_of_its_terms() {
    let tape = Tape::new_f64();
    let a = tape.var([f64::INFINITY, 1.0]);
    let gradients = a.logaddexp(tensor![f64; f64::NEG_INFINITY, 3.0]).sum().backward();
    assert_eq!(gradients[&a], tensor![f64; 1.0, (-2.0f64).exp() / (1.0 + (-2.0f64).exp())]);
}
