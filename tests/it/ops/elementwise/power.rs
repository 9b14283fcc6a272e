//! Powers and roots.

use crate::support::gradients::{BOTH_SIDES, PLAIN, POSITIVE, Row, binary, check_gradients, unary};
use wengert::prelude::*;

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

#[test]
fn the_smallest_exponent_has_a_value_and_a_gradient() {
    let x = Tape::new_f64().var([-1.0, 2.0, 1.0 - 1e-9]);
    let y = x.powi(i32::MIN);
    let gradient = y.sum().backward();
    assert_eq!((y.value()[[0]], y.value()[[1]]), (1.0, 0.0));
    assert_eq!((gradient[&x][[0]], gradient[&x][[1]]), (2f64.powi(31), 0.0));
    assert!((gradient[&x][[2]] / (-(2f64.powi(31)) * 2.147_483_649f64.exp()) - 1.0).abs() < 1e-6);
}

#[test]
fn factors_of_a_gradient_do_not_overflow_on_the_way() {
    let tape = Tape::new();
    let x = tape.var(1e-30);
    let close = |gradient: f32, right: f32| assert!((gradient / right - 1.0).abs() < 1e-6, "{gradient}");
    close((x.rsqrt() * 1e-20).backward()[&x].item(), -5e24);
    close((x.reciprocal() * 1e-30).backward()[&x].item(), -1e30);
}

#[test]
fn integer_powers_of_blocks_are_those_of_numbers() {
    fn check<T: Float>() {
        let x = Tensor::<T>::randn([35], &mut wengert::rng(0));
        for n in [0, 1, 2, 3, 4, 7, -1, -2, -5, 1000, i32::MAX, i32::MIN] {
            assert_eq!(x.powi(n), x.map(|x| x.powi(n)), "{n}");
        }
    }
    check::<f32>();
    check::<f64>();
}
