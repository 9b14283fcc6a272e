//! Tensor constructors.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("not_a_shape", || _ = Tensor::<f32>::zeros([-2])),
    ("element_count", || _ = Tensor::from_vec(vec![1.0f32, 2.0], [3])),
    ("element_count", || _ = Tensor::from_slice(&[1.0f32, 2.0], [3])),
    ("range", || _ = Tensor::<f32>::arange(0.0, 1.0, 0.0)),
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
