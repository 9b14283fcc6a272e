//! Arithmetic of tensors.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("wrong_shapes do_not_broadcast", || _ = matrix() + Tensor::ones([4])),
    ("wrong_shapes do_not_broadcast", || _ = matrix().zip(&Tensor::ones([3, 3]), f32::max)),
    ("does_not_broadcast_to", || {
        let mut sum = Tensor::ones([3]);
        sum += &matrix();
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
