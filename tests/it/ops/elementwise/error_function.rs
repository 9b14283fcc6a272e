//! The error function.

use crate::support::gradients::{PLAIN, Row, check_gradients, unary};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![unary("erf", PLAIN, |x| x.erf()), unary("erfc", PLAIN, |x| x.erfc())]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn further_derivatives_are_zero_however_large_the_argument() {
    for x in [-f64::INFINITY, -1e308, -1e200, 1e200, 1e308, f64::INFINITY] {
        let x = Tape::new_f64().var(x);
        for y in [x.erf(), x.erfc()] {
            let second = y.grad(&x).grad(&x);
            assert_eq!((second.item(), second.grad(&x).item()), (0.0, 0.0), "{}", x.value());
        }
    }
}
