//! Max pooling, on inputs without near ties.

use super::{IMAGE, LINE};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::{images, variable};
use wengert::ops::MaxPool;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("max_pool1d", LINE, |x| x[0].max_pool1d(3)),
        row("max_pool1d", LINE, |x| x[0].max_pool1d(MaxPool::new(2).stride(3).padding(1).ceil_mode(true))),
        row("max_pool2d", IMAGE, |x| x[0].max_pool2d([2, 3])),
        row("max_pool2d", IMAGE, |x| x[0].max_pool2d(MaxPool::new(3).stride([1, 2]).padding([0, 1]))),
        row("max_pool2d", IMAGE, |x| x[0].max_pool2d(MaxPool::new(2).dilation([2, 3]).stride(1))),
        row("max_pool2d", &[&[&[2, 3, 4], &[2, 2, 3]]], |x| {
            let y = x[0].max_pool2d(MaxPool::new(2).stride(1));
            y.vjp(&x[1], &[&x[0]])[0].clone().expect("the gradient by the input, as a function of the cotangent")
        }),
    ]
}

pub const PANICS: &[Panic] = &[
    ("window_on_padding", || _ = images().max_pool2d(MaxPool2d::new(2).padding([0, 2]))),
    ("no_images", || _ = variable().sum_over(0).max_pool2d(2)),
    ("option", || _ = images().max_pool2d([2, 0])),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn an_element_that_is_the_largest_of_several_windows_gets_the_gradients_of_all() {
    let tape = Tape::new_f64();
    let x = tape.var([[1.0, 5.0, 2.0, 3.0, 3.0]]);
    let y = x.max_pool1d(MaxPool::new(3).stride(1));
    assert_eq!(y.value(), &tensor![f64; [5.0, 5.0, 3.0]]);
    let gradient = y.vjp(&tape.constant([[1.0, 10.0, 100.0]]), &[&x])[0].clone().unwrap();
    assert_eq!(gradient.value(), &tensor![f64; [0.0, 11.0, 0.0, 100.0, 0.0]], "of equal ones the first");
}

#[test]
fn padding_is_never_the_largest_and_windows_may_leave_gaps() {
    let tape = Tape::new_f64();
    let x = tape.var([[-1.0, -2.0, -3.0, -4.0, -5.0]]);
    let y = x.max_pool1d(MaxPool::new(2).stride(3).padding(1));
    assert_eq!(y.value(), &tensor![f64; [-1.0, -3.0]]);
    assert_eq!(y.sum().grad(&x).value(), &tensor![f64; [1.0, 0.0, 1.0, 0.0, 0.0]]);
    let infinite = tape.var([[f64::NEG_INFINITY, f64::NAN]]);
    assert!(infinite.max_pool1d(2).item().is_nan());
}
