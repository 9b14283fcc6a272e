//! Making tensors.

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
