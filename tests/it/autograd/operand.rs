//! Operands accepted next to a variable.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("two_tapes", || _ = variable() + variable().exp())];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn numbers_of_every_type_stand_beside_variables_and_tensors() {
    let x = Tape::new().var([1.0, 2.0]);
    let t = tensor![1.0, 2.0];
    let (rate, count) = (0.5f32, 4usize);
    for y in [&x * rate * 2, &x * count / 4u8, 2 * &x / 2i64, 1.0 * x.clone() + 0] {
        assert_eq!(y.value(), &t);
    }
    for y in [&t * rate * 2, &t * count / 4u8, 2 * &t / 2i64, 1.0 * t.clone() + 0] {
        assert_eq!(y, t);
    }
    assert_eq!((1 - &x).value(), &(1 - &t));
    assert_eq!((3 / x).value(), &(3 / t));
}

#[test]
fn literals_beside_operands_are_double_precision_unless_they_are_integers() {
    let x = Tape::<f64>::new().var([0.0]);
    assert_eq!((&x + 0.1).item(), 0.1);
    assert_eq!((&x + 0.1f32).item(), f64::from(0.1f32));
    assert_eq!((1.0 - x.square()).rsqrt().item(), 1.0);
    assert_eq!(x.maximum(2).pow(3).item(), 8.0);
}
