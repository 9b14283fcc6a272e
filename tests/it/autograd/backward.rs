//! The backward pass: regression tests for bugs known from other engines, each named after its bug.

use crate::support::compare::{TOLERANCE, assert_close, gradient_and_hessian};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("two_tapes", || _ = variable().sum().grad(&variable())),
    ("two_tapes", || _ = variable().vjp(&variable(), &[])),
    ("not_scalar", || _ = variable().backward()),
    ("not_scalar", || _ = variable().grad(&variable())),
    ("not_recorded", || _ = variable().detach().sum().backward()),
    ("not_recorded", || _ = Tape::inference().var(1.0).gradients()),
    ("does_not_depend", || {
        let x = variable();
        _ = x.tape().var(1.0).exp().grad(&x);
    }),
    ("by_a_constant", || {
        let x = variable();
        _ = x.sum().grad(&x.detach());
    }),
    ("cotangent_shape", || _ = variable().vjp(&variable().sum(), &[])),
    ("released", || {
        let y = variable().sum();
        _ = y.clone().backward();
        _ = y.backward();
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn second_derivatives_miss_no_path() {
    let tape = Tape::new_f64();
    let x = tape.var(0.8);
    let second = |y: Var<f64>| y.grad(&x).grad(&x).item();
    assert!((second(x.sin().square()) - 2.0 * 1.6f64.cos()).abs() < TOLERANCE);
    assert!((second(&x * &x * &x) - 6.0 * 0.8).abs() < TOLERANCE);
    assert!((second(x.powi(3)) - 6.0 * 0.8).abs() < TOLERANCE);
}

#[test]
fn gradients_of_two_uses_may_arrive_in_any_order_and_shape() {
    let x = tensor![f64; 1.0, -2.0, 0.5];
    let gradient = |f: fn(&Var<f64>) -> Var<f64>| {
        let tape = Tape::new_f64();
        let x = tape.var(&x);
        f(&x).sum().backward()[&x].clone()
    };
    let expected = &x * 4.0 + 2.0;
    assert_eq!(gradient(|x| x.broadcast_to([2, 3]) + x.square()), expected);
    assert_eq!(gradient(|x| x.square() + x.broadcast_to([2, 3])), expected);
}

#[test]
fn a_gradient_that_repeats_a_value_is_written_out_where_it_is_needed() {
    type Program = fn(&Var<f64>) -> Var<f64>;
    let programs: [Program; 12] = [
        |x| x.sum(),
        |x| (x * 2.0 - x / 3.0).sum(),
        // Broadcast inputs, whose gradients are sums over the copies.
        |x| (x * x.slice(0, ..1) + x.slice(1, ..1)).sum(),
        |x| (x.slice(0, ..1) - Tensor::ones([2, 3])).mean(),
        // Both arrive at the same place, in either order.
        |x| x.sum() + x.square().sum(),
        |x| x.square().sum() + x.sum(),
        |x| x.sum_over(0).square().sum() + x.sum_over(1).exp().sum() + x.sum_over(0).sum(),
        |x| (x.sum_over(0) * x.sum_over(1).sum()).mean(),
        // At a part, and through rules that need all of it.
        |x| x.slice(1, 1..).sum() + x.sum() + x.slice(0, 1..).sum(),
        |x| x.exp().transpose(0, 1).reshape([-1]).sum(),
        |x| x.matmul(x.transpose(0, 1)).sum_over(1).sum(),
        |x| (1.0 / x.hook(|gx| gx.cumsum(0))).sum(),
    ];
    for (k, program) in programs.into_iter().enumerate() {
        let tape = Tape::new_f64();
        let x = tape.var([[0.3, -1.0, 0.2], [2.0, 0.7, -0.4]]);
        let between = &x * 1.5;
        between.retain_grad();
        let y = program(&between);
        let written_out = [y.grad(&x), y.grad(&between)];
        let gradients = y.backward();
        assert_close(&gradients[&x], written_out[0].value());
        assert_close(&gradients[&between], written_out[1].value());
        assert_eq!(gradients[&between].shape(), [2, 3], "program {k}");
    }
}

#[test]
fn a_diamond_runs_each_rule_once() {
    let tape = Tape::new_f64();
    let x = tape.var(3.0);
    let a = &x + &x;
    let b = &a * &a;
    assert_eq!(b.grad(&x).item(), 24.0);
    assert_eq!(b.grad(&x).grad(&x).item(), 8.0);
    assert_eq!(b.backward()[&x].item(), 24.0);
}

#[test]
fn every_kind_of_pass_gives_the_same_gradients() {
    let tape = Tape::new_f64();
    let x = tape.var([[0.3, -1.0], [2.0, 0.7]]);
    let y = (x.matmul(&x).tanh() * x.softmax(-1)).sum();
    let (first, second, recorded) = (y.gradients(), y.gradients(), y.grad(&x));
    assert_eq!(first[&x], second[&x]);
    assert_eq!(&first[&x], recorded.value());
    assert_eq!(y.backward()[&x], first[&x]);
}

#[test]
fn detach_cuts_the_gradient_and_nothing_else() {
    let tape = Tape::new_f64();
    let x = tape.var(3.0);
    let y = &x * x.square().detach();
    assert_eq!(y.item(), 27.0);
    assert_eq!(y.backward()[&x].item(), 9.0);
}

#[test]
fn a_constant_gets_no_gradient() {
    let tape = Tape::new_f64();
    let (x, constant) = (tape.var(3.0), tape.constant(2.0));
    let y = &x * &constant;
    assert!(y.vjp(&tape.constant(1.0), &[&constant])[0].is_none());
    let gradients = y.backward();
    assert_eq!((gradients.len(), gradients[&x].item()), (1, 2.0));
    assert!(gradients.get(&constant).is_none());
}

#[test]
fn an_operation_used_twice_gives_the_same_gradient_in_either_order() {
    let up = |x: &Var<f64>| x.repeat([3, 1]).sum_over(0);
    let square = |x: &Var<f64>| x.square();
    let x = tensor![f64; 1.0, -2.0];
    assert_eq!(gradient_and_hessian(|x| up(x) + square(x), &x), gradient_and_hessian(|x| square(x) + up(x), &x));
    assert_eq!(
        gradient_and_hessian(|x| up(&square(x)) + square(&up(x)), &x),
        gradient_and_hessian(|x| square(&up(x)) + up(&square(x)), &x)
    );
}

/// One step of a recurrent cell: `tanh(W [x, h] + b)`.
fn step(cell: &Linear<f64>, x: f64, h: &Var<f64>) -> Var<f64> {
    cell.forward(&Var::concat(&[&h.constant([x]), h], 0)).tanh()
}

#[test]
fn truncated_backpropagation_is_that_of_each_window_by_itself() {
    let cell = Linear::<f64>::new(3, 2, Init::Xavier, &mut wengert::rng(0));
    let inputs: Vec<f64> = (0..12).map(|t| f64::from(t).sin()).collect();
    let window = |h: &mut Var<f64>, inputs: &[f64]| {
        let mut loss = h.constant(0.0);
        for &x in inputs {
            *h = step(&cell, x, h);
            loss += h.square().sum();
        }
        loss
    };
    // On one tape, with or without detaching the state between windows.
    let on_one_tape = |detached: bool| {
        let mut h = Tape::new_f64().constant([0.0, 0.0]);
        let mut total = h.constant(0.0);
        for inputs in inputs.chunks(4) {
            if detached {
                h = h.detach();
            }
            total += window(&mut h, inputs);
        }
        let value = total.item();
        (value, total.backward()[&cell.weight].clone())
    };
    // On one tape per window, each starting with the state as a constant.
    let (mut state, mut value, mut sum) = (Tensor::zeros([2]), 0.0, Tensor::zeros([2, 3]));
    for inputs in inputs.chunks(4) {
        let mut h = Tape::new_f64().constant(&state);
        let loss = window(&mut h, inputs);
        value += loss.item();
        state = h.value().clone();
        sum += &loss.backward()[&cell.weight];
    }
    let (truncated, whole) = (on_one_tape(true), on_one_tape(false));
    let distance = |a: &Tensor<f64>, b: &Tensor<f64>| (a - b).map(f64::abs).max().item();
    assert!(
        (truncated.0 - value).abs() < 1e-14 && (whole.0 - value).abs() < 1e-14,
        "the values are those of the whole"
    );
    assert!(distance(&truncated.1, &sum) < 1e-14);
    assert!(distance(&whole.1, &sum) > 1e-3, "and the gradients are not");
}
