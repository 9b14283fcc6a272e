//! Hyperbolic functions and their inverses.

use super::UNIT;
use crate::support::gradients::{PLAIN, Row, check_gradients, unary};
use crate::support::random::{any, check_jacobian};
use wengert::prelude::*;

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

#[test]
fn inverse_functions_are_odd_and_accurate_near_1_and_far_out() {
    let x = tensor![f64; -1.0 + 2f64.powi(-24), 0.9999999999999997, -0.5, 1e-300, 0.0, -1.0];
    let right = tensor![f64; -8.664339756999316, 18.165668, -0.549306144334055, 1e-300, 0.0, -f64::INFINITY];
    let close = |y: &Tensor<f64>, right: &Tensor<f64>, tolerance: f64| {
        for (y, right) in y.as_slice().iter().zip(right.as_slice()) {
            assert!(y == right || (y / right - 1.0).abs() < tolerance, "{y} instead of {right}");
        }
    };
    close(&x.atanh(), &right, 1e-7);
    assert_eq!((-&x).atanh(), -x.atanh());
    close(
        &tensor![f64; 1e308, -1e308, 1e-200].asinh(),
        &tensor![f64; 709.889_355_822_726, -709.889_355_822_726, 1e-200],
        1e-14,
    );
    close(
        &tensor![f64; 1e308, 1.0000003576278687, 1.0].acosh(),
        &tensor![f64; 709.889_355_822_726, 8.457279e-4, 0.0],
        1e-7,
    );
    assert!(tensor![f64; 0.5, -2.0, -1e20].acosh().as_slice().iter().all(|y| y.is_nan()));
    let x = Tape::new_f64().var([1e200, 1.0 + 1e-12]);
    close(&x.acosh().sum().backward()[&x], &tensor![f64; 1e-200, 0.5f64.sqrt() * 1e6], 1e-4);
}

#[test]
fn derivatives_do_not_vanish_with_the_difference_from_the_limit() {
    // Of first and second order: the second derivative is about −2, 1 and −1 times the first.
    type Case = (fn(&Var) -> Var, f32, f32, f32);
    let cases: [Case; 4] = [
        (|x| x.tanh(), 20.0, 1.699_341_7e-17, -2.0),
        (|x| x.sigmoid(), 40.0, 4.248_354e-18, -1.0),
        (|x| x.expm1(), -40.0, 4.248_354e-18, 1.0),
        (|x| x.log_sigmoid(), 80.0, 1.804_851_4e-35, -1.0),
    ];
    for (f, at, right, factor) in cases {
        let x = Tape::new().var(at);
        let first = f(&x).grad(&x);
        let second = first.grad(&x);
        assert!((first.item() / right - 1.0).abs() < 1e-6, "{}", first.item());
        assert!((second.item() / (right * factor) - 1.0).abs() < 1e-6, "{}", second.item());
    }
}
