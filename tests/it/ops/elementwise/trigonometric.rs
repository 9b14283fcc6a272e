//! Trigonometric functions and their inverses.

use super::UNIT;
use crate::support::gradients::{PLAIN, POSITIVE, Row, binary, check_gradients, unary};
use crate::support::random::{any, check_jacobian};
use wengert::prelude::*;

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

#[test]
fn the_gradient_of_atan2_neither_overflows_nor_vanishes() {
    for (scale, right) in [(1e-25, 5e24f32), (1e25, 5e-26)] {
        let (y, x) = (Tape::new().var(scale), tensor![scale]);
        let gradient = y.atan2(&x).sum().backward()[&y].item();
        assert!((gradient / right - 1.0).abs() < 1e-6, "{gradient}");
    }
    let angle = |x: &Var<f64>| x.select(0, 0).atan2(x.select(0, 1));
    let hessian = functional::hessian(angle, &tensor![f64; 0.0, 0.0]);
    assert_eq!(hessian, Tensor::zeros([2, 2]));
    let hessian = functional::hessian(angle, &tensor![f64; 3.0, 4.0]);
    assert_eq!(hessian[[0, 1]], hessian[[1, 0]]);
}
