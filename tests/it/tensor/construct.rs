//! Tensor constructors.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("not_a_shape", || _ = Tensor::<f32>::zeros([-2])),
    ("element_count", || _ = Tensor::from_vec(vec![1.0f32, 2.0], [3])),
    ("element_count", || _ = Tensor::from_slice(&[1.0f32, 2.0], [3])),
    ("not_an_interval", || _ = Tensor::<f32>::uniform([1], 1.0, 0.0, &mut wengert::rng(0))),
    ("range", || _ = Tensor::<f32>::arange(0.0, 1.0, 0.0)),
    ("range", || _ = Tensor::<f32>::linspace(0.0, f64::INFINITY, 3)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn vectors_and_integers_become_tensors() {
    let tape = Tape::new();
    let data = vec![1.0, 2.0];
    assert_eq!(tape.var(&data).value(), &tensor![1.0, 2.0]);
    assert_eq!(tape.constant(&data[1..]).value(), &tensor![2.0]);
    assert_eq!(tape.var(data).shape(), [2]);
    assert_eq!(tape.var([[1, 2], [3, 4]]).value(), &tensor![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(tape.var(3).item(), 3.0);
    let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    assert_eq!(x.iter().copied().fold(0.0, f32::max), 4.0);
    assert_eq!((&x).into_iter().count(), 4);
    assert_eq!(x.into_vec(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn uniform_numbers_are_less_than_the_upper_bound() {
    fn check<T: Float>(low: f64, high: f64) {
        let x = Tensor::<T>::uniform([100_000], low, high, &mut wengert::rng(0));
        let (first, end) = (T::from_f64(low), T::from_f64(high));
        assert!(x.as_slice().iter().all(|&x| first <= x && x < end), "{low} {high}");
    }
    let one_ulp = 1.0 + f64::from(f32::EPSILON);
    for (low, high) in [(1.0, one_ulp), (1000.0, 1001.0), (-1e-40, 0.0), (-one_ulp, -1.0), (0.3, 0.7), (-1e30, 1e30)] {
        check::<f32>(low, high);
        check::<f64>(low, high);
    }
    check::<f64>(1.0, 1.0 + f64::EPSILON);
    // Nothing is between the bounds.
    assert_eq!(Tensor::<f32>::uniform([9], 2.0, 2.0, &mut wengert::rng(0)), Tensor::full([9], 2.0));
    // Number 16484196 of this stream is rounded to the bound.
    let unit = Tensor::<f32>::uniform([16_500_000], 0.0, 1.0, &mut wengert::rng(0));
    assert_eq!(unit.max().item(), 1.0 - f32::EPSILON / 2.0);
}
