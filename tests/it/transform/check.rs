//! The gradient check rejects operations with deliberately wrong backward rules.

use crate::support::panics::{Panic, messages};
use std::cell::Cell;
use wengert::check::{Finding, Mismatch};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("option", || _ = check::numerical_diff(f64::sin, 1.0, 0.0)),
    ("option", || _ = check::numerical_gradient(|x| x.sum().item(), &Tensor::ones([2]), f64::NAN)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Declares an operation of one input with a wrong backward rule.
macro_rules! wrong {
    ($(#[$meta:meta])* $op:ident { |$x:ident| $value:expr; |$saved:ident, $gy:ident| $rule:expr }) => {
        $(#[$meta])*
        #[derive(Debug)]
        struct $op;

        impl Op<f64, 1> for $op {
            const NAME: &'static str = stringify!($op);
            const SAVE: Save = Save::Inputs;

            fn forward(&mut self, [$x]: [&Tensor<f64>; 1]) -> Tensor<f64> {
                $value
            }
            fn backward(&self, $saved: &Saved<f64, 1>, $gy: &Var<f64>) -> [Option<Var<f64>>; 1] {
                [$rule]
            }
        }
    };
}

wrong! {
    /// The rule of the square without its factor of 2.
    MissingFactor { |x| x * x; |saved, gy| Some(gy * saved.input(0)) }
}
wrong! {
    /// The rule of x sin x with only one of its two terms.
    MissingTerm { |x| x * &x.map(f64::sin); |saved, gy| Some(gy * saved.input(0).sin()) }
}
wrong! {
    /// A square that passes no gradient.
    CutOff { |x| x * x; |_saved, _gy| None }
}
wrong! {
    /// A square whose rule reads its input as a constant: correct for the first order only.
    CutOffOnce { |x| x * x; |saved, gy| Some(gy * saved.input(0).detach() * 2.0) }
}
wrong! {
    /// x³, whose rule reads one of its factors as a constant in the second derivative only.
    CutOffTwice { |x| x * x * x; |saved, gy| Some(gy * saved.input(0).apply(CutOffOnce) * 3.0) }
}
wrong! {
    /// A sum along the last axis whose gradient goes only to the first element.
    OneForAll { |x| x.sum_over(-1); |saved, gy| {
        let first: Tensor<f64> = Tensor::eye(saved.input(0).shape()[0]);
        Some(gy * saved.constant(first).slice(0, ..1).reshape([-1]))
    } }
}

/// `y = x Σx²` with the statistic `Σx²` stored in the operation, as some normalization layers store a deviation.
#[derive(Debug)]
struct CapturedStatistic {
    squares: f64,
}

impl Op<f64, 1> for CapturedStatistic {
    const NAME: &'static str = "captured_statistic";
    const SAVE: Save = Save::Inputs;

    fn forward(&mut self, [x]: [&Tensor<f64>; 1]) -> Tensor<f64> {
        self.squares = (x * x).sum().item();
        x * self.squares
    }
    fn backward(&self, saved: &Saved<f64, 1>, gy: &Var<f64>) -> [Option<Var<f64>>; 1] {
        let x = saved.input(0);
        let flow = (gy * &x).sum();
        [Some(gy * self.squares + x * 2.0 * flow)]
    }
}

/// A difference whose rule omits the sign of the second input.
#[derive(Debug)]
struct WrongSign;

impl Op<f64, 2> for WrongSign {
    const NAME: &'static str = "wrong_sign";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [a, b]: [&Tensor<f64>; 2]) -> Tensor<f64> {
        a - b
    }
    fn backward(&self, _: &Saved<f64, 2>, gy: &Var<f64>) -> [Option<Var<f64>>; 2] {
        [Some(gy.clone()), Some(gy.clone())]
    }
}

/// The identity, with a rule that doubles the gradient when it runs again.
#[derive(Debug, Default)]
struct WrongLater {
    runs: Cell<u32>,
}

impl Op<f64, 1> for WrongLater {
    const NAME: &'static str = "wrong_later";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<f64>; 1]) -> Tensor<f64> {
        x.clone()
    }
    fn backward(&self, _: &Saved<f64, 1>, gy: &Var<f64>) -> [Option<Var<f64>>; 1] {
        self.runs.set(self.runs.get() + 1);
        [Some(gy * f64::from(self.runs.get()))]
    }
}

fn input() -> Tensor<f64> {
    tensor![f64; 0.7, -0.4, 1.3]
}

/// The result of checking orders 1 to 3 of a function of one input.
fn found(f: impl Fn(&Var<f64>) -> Var<f64>) -> Mismatch {
    check::gradients_to_order(3, |x| f(&x[0]), &[input()]).expect_err("a wrong rule was accepted")
}

fn order_and_input(mismatch: &Mismatch) -> (usize, usize) {
    (mismatch.order, mismatch.input)
}

#[test]
fn a_wrong_first_derivative_is_rejected() {
    assert_eq!(order_and_input(&found(|x| x.apply(MissingFactor))), (1, 0));
    assert_eq!(order_and_input(&found(|x| x.apply(MissingTerm))), (1, 0));
    assert_eq!(order_and_input(&found(|x| x.apply(CutOff))), (1, 0));
    assert_eq!(order_and_input(&found(|x| x * x.detach())), (1, 0));
    assert_eq!(order_and_input(&found(|x| x.apply(OneForAll))), (1, 0));
}

#[test]
fn a_wrong_second_derivative_is_rejected() {
    assert_eq!(order_and_input(&found(|x| x.apply(CapturedStatistic { squares: 0.0 }))), (2, 0));
    assert_eq!(order_and_input(&found(|x| x.apply(CutOffOnce))), (2, 0));
}

#[test]
fn a_wrong_third_derivative_is_rejected_by_a_check_of_order_3() {
    assert_eq!(check::gradients(|x| x[0].apply(CutOffTwice), &[input()]), Ok(()));
    assert_eq!(order_and_input(&found(|x| x.apply(CutOffTwice))), (3, 0));
}

#[test]
fn the_input_with_the_wrong_gradient_is_named() {
    let mismatch = check::gradients(|x| wengert::apply(WrongSign, [&x[0], &x[1]]), &[input(), input()]).unwrap_err();
    assert_eq!(order_and_input(&mismatch), (1, 1));
    assert_eq!(mismatch.shape, [3]);
}

#[test]
fn a_rule_that_changes_between_passes_is_rejected() {
    let mismatch = found(|x| x.apply(WrongLater::default()));
    assert!(matches!(mismatch.finding, Finding::Passes(_)), "{mismatch}");
}

#[test]
fn the_message_says_what_differs() {
    let mismatch = found(|x| x.apply(CutOff).sum());
    let Finding::Derivative { analytic, numerical } = mismatch.finding else { panic!("{mismatch}") };
    assert_eq!(analytic, 0.0);
    let start = "derivative of order 1 with respect to input 0 of shape [3]: 0 by the rules, ";
    assert!(mismatch.to_string().starts_with(&format!("{start}{numerical} by differences, a relative error of ")));
}
