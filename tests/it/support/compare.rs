//! Comparison of values and their derivatives.

use wengert::prelude::*;

/// The largest accepted difference.
pub const TOLERANCE: f64 = 1e-12;

#[track_caller]
pub fn assert_close(a: &Tensor<f64>, b: &Tensor<f64>) {
    assert_eq!(a.shape(), b.shape());
    let error = (a - b).map(f64::abs).max().item();
    assert!(error <= TOLERANCE, "{a} and {b} differ by {error}");
}

/// The value of a function, its gradient for a cotangent, and the derivative of that gradient for another.
fn orders(f: &dyn Fn(&Var<f64>) -> Var<f64>, x: &Tensor<f64>) -> [Tensor<f64>; 3] {
    let mut rng = wengert::rng(5);
    let tape = Tape::new_f64();
    let x = tape.var(x);
    let y = f(&x);
    let cotangent = tape.constant(Tensor::randn(y.shape(), &mut rng));
    let first = y.vjp(&cotangent, &[&x])[0].clone().unwrap();
    let direction = tape.constant(Tensor::randn(x.shape(), &mut rng));
    let second = first.vjp(&direction, &[&x])[0].clone().unwrap();
    [y.value().clone(), first.value().clone(), second.value().clone()]
}

/// Checks that a function has the value and the first two derivatives of a reference.
#[track_caller]
pub fn assert_same_orders(f: impl Fn(&Var<f64>) -> Var<f64>, reference: impl Fn(&Var<f64>) -> Var<f64>) {
    let x = tensor![f64; [0.3, -1.2, 2.0], [1.0, 0.0, -0.5]];
    for (a, b) in orders(&f, &x).iter().zip(&orders(&reference, &x)) {
        assert_close(a, b);
    }
}

/// The gradient of the sum of squares of `f(x)`, and the product of its Hessian with ones.
pub fn gradient_and_hessian(f: impl Fn(&Var<f64>) -> Var<f64>, x: &Tensor<f64>) -> [Tensor<f64>; 2] {
    let tape = Tape::new_f64();
    let x = tape.var(x);
    let gradient = f(&x).square().sum().grad(&x);
    let second = gradient.vjp(&tape.constant(Tensor::ones(x.shape())), &[&x])[0].clone();
    [gradient.value().clone(), second.map_or(Tensor::zeros(x.shape()), |second| second.value().clone())]
}
