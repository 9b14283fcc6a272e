//! Dropout.

use crate::support::gradients::{PLAIN, Row, check_gradients, unary};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![unary("dropout", PLAIN, |x| x.dropout(0.5)), unary("dropout_seeded", PLAIN, |x| x.dropout_seeded(0.5, 3))]
}

pub const PANICS: &[Panic] = &[("probability", || _ = variable().dropout(1.0))];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn the_gradient_of_dropout_is_its_mask() {
    let tape = Tape::<f64>::with_mode(Mode::Training(3));
    let x = tape.var(Tensor::ones([100]));
    let y = x.dropout(0.5);
    let mask = y.value().clone();
    assert!(mask.as_slice().contains(&0.0) && mask.as_slice().contains(&2.0));
    assert_eq!(y.sum().backward()[&x], mask);
}
