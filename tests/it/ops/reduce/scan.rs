//! Cumulative sums and products.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{along, check_jacobian, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let shapes: Shapes = &[&[&[]], &[&[1]], &[&[4]], &[&[3, 2]], &[&[0]], &[&[0, 2]]];
    let inside: Shapes = &[&[&[2, 3, 2]], &[&[2, 0, 2]]];
    vec![
        row("cumsum", shapes, |x| x[0].cumsum(0)),
        row("cumsum", inside, |x| x[0].cumsum(-2)),
        row("cumprod", shapes, |x| x[0].cumprod(0)),
        row("cumprod", inside, |x| x[0].cumprod(1)),
        row("cumprod", &[&[&[5]]], |x| (&x[0] * tensor![f64; 1.0, 0.0, 1.0, 0.0, 1.0]).cumprod(0)),
        row("logcumsumexp", shapes, |x| x[0].logcumsumexp(0)),
        row("logcumsumexp", inside, |x| x[0].logcumsumexp(-2)),
    ]
}

pub const PANICS: &[Panic] = &[("axis_out_of_range", || _ = variable().logcumsumexp(2))];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[("cumsum", |draw| along(draw, |x, axis| x.cumsum(axis)))]);
    check_jacobian(&[
        ("cumprod", |draw| along(draw, |x, axis| x.cumprod(axis))),
        ("logcumsumexp", |draw| along(draw, |x, axis| x.logcumsumexp(axis))),
    ]);
}

#[test]
fn cumsum_is_adjoint_to_itself_from_the_end() {
    check_adjoint(|draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        pair(shape, move |x| x.cumsum(axis), move |y| y.flip(axis).cumsum(axis).flip(axis))
    });
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn zeros_are_no_special_case_of_a_running_product() {
    // Computed by hand: d/dx of x₀ + x₀x₁ + x₀x₁x₂ + x₀x₁x₂x₃.
    let gradient = |x: [f64; 4]| {
        let tape = Tape::new_f64();
        let x = tape.var(x);
        x.cumprod(0).sum().grad(&x).value().clone()
    };
    assert_eq!(gradient([2.0, 0.0, 5.0, 7.0]), tensor![f64; 1.0, 2.0 + 10.0 + 70.0, 0.0, 0.0]);
    assert_eq!(gradient([0.0, 3.0, 0.0, 7.0]), tensor![f64; 1.0 + 3.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient([0.0, 0.0, 0.0, 0.0]), tensor![f64; 1.0, 0.0, 0.0, 0.0]);
    let tape = Tape::new_f64();
    let x = tape.var([2.0, 0.0, 0.0, 7.0]);
    let mixed = x.cumprod(0).sum().grad(&x).select(0, 1).grad(&x);
    assert_eq!(mixed.value(), &tensor![f64; 1.0, 0.0, 2.0 + 14.0, 0.0]);
}

#[test]
fn a_running_logsumexp_of_numbers_far_apart_has_finite_derivatives() {
    let tape = Tape::new_f64();
    let x = tape.var([1000.0, -1000.0, 1001.0]);
    let y = x.logcumsumexp(0);
    let gradient = y.sum().grad(&x);
    let share = 1.0 / (1.0 + 1f64.exp());
    let expected = tensor![f64; 2.0 + share, 0.0, 1.0 - share];
    let error = (gradient.value() - expected).map(f64::abs).max().item();
    assert!(error < 1e-12, "{gradient}");
    let second = gradient.select(0, 0).grad(&x);
    assert!((second.value()[[0]] - share * (1.0 - share)).abs() < 1e-12, "{second}");
}
