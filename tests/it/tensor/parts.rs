//! Slices, splits and concatenation of tensors.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("slice_step", || _ = matrix().slice_step(0, .., 0)),
    ("selection_out_of_range", || _ = matrix().select(1, 3)),
    ("piece_size", || _ = matrix().split(0, 1)),
    ("piece_sizes", || _ = matrix().split_with_sizes(&[1, 1], 1)),
    ("chunk_count", || _ = matrix().chunk(0, 1)),
    ("axis_twice", || _ = matrix().flip([1, -1])),
    ("axis_out_of_range", || _ = matrix().diagonal(0, 0, 2)),
    ("nothing_to_join", || _ = Tensor::<f32>::concat(&[] as &[Tensor], 0)),
    ("wrong_shapes do_not_join", || _ = Tensor::concat(&[matrix(), Tensor::ones([2, 4])], 0)),
    ("wrong_shapes do_not_stack", || _ = Tensor::stack(&[matrix(), Tensor::ones([2, 4])], 0)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
