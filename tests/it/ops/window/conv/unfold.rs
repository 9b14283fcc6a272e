//! Unfolding into columns.

use super::options;
use crate::support::compare::assert_close;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![row("unfold2d", &[&[&[2, 2, 4, 3]]], |x| x[0].unfold2d([3, 2], Conv::new().stride(2).padding(1)))]
}

pub const PANICS: &[Panic] = &[("no_image_batch", || _ = variable().unfold2d(2, Conv::new()))];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A function of an image and a weight, its gradients for a cotangent, and their derivatives along directions.
fn orders(f: impl Fn(&Var<f64>, &Var<f64>) -> Var<f64>, x: &Tensor<f64>, weight: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let mut rng = wengert::rng(5);
    let tape = Tape::new_f64();
    let (x, weight) = (tape.var(x), tape.var(weight));
    let y = f(&x, &weight);
    let cotangent = tape.var(Tensor::randn(y.shape(), &mut rng));
    let first = y.vjp(&cotangent, &[&x, &weight]).into_iter().map(|g| g.expect("y depends on both"));
    let first: Vec<_> = first.collect();
    let along = |g: &Var<f64>, rng: &mut _| (g * tape.constant(Tensor::randn(g.shape(), rng))).sum();
    let s = along(&first[0], &mut rng) + along(&first[1], &mut rng);
    let second = s.vjp(&tape.constant(1.0), &[&x, &weight, &cotangent]).into_iter();
    let second = second.map(|g| g.expect("the gradients depend on all three").value().clone());
    [y].iter().chain(&first).map(|v| v.value().clone()).chain(second).collect()
}

#[test]
fn convolution_is_a_product_with_the_columns_at_every_order() {
    let mut rng = wengert::rng(1);
    let (x, weight) = (Tensor::randn([2, 2, 7, 6], &mut rng), Tensor::randn([3, 2, 3, 2], &mut rng));
    for options in &options()[..3] {
        let product = |x: &Var<f64>, weight: &Var<f64>| {
            weight.reshape([3, -1]).matmul(x.unfold2d([3, 2], *options)).reshape([2, 3, -1])
        };
        let convolution = |x: &Var<f64>, weight: &Var<f64>| x.conv2d(weight, *options).flatten(2, 3);
        for (a, b) in orders(convolution, &x, &weight).iter().zip(&orders(product, &x, &weight)) {
            assert_close(a, b);
        }
    }
}

#[test]
fn folding_the_columns_back_counts_the_windows_of_each_element() {
    let tape = Tape::new_f64();
    let x = tape.var(Tensor::arange(1.0, 13.0, 1.0).reshape([1, 1, 3, 4]));
    let columns = x.unfold2d(2, Conv::new());
    let folded = columns.vjp(&columns, &[&x])[0].clone().unwrap();
    let count = tensor![f64; [1.0, 2.0, 2.0, 1.0], [2.0, 4.0, 4.0, 2.0], [1.0, 2.0, 2.0, 1.0]];
    assert_eq!(folded.value(), &(x.value() * &count));
}
