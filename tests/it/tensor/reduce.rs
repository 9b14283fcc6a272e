//! Reductions.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = matrix().sum_over(2)),
    ("axis_out_of_range", || _ = matrix().mean_over([0, -3])),
    ("axis_out_of_range", || _ = matrix().argmax(2)),
    ("axis_twice", || _ = matrix().max_over([1, -1])),
    ("nothing_to_choose", || _ = Tensor::<f32>::zeros([2, 0]).argmin(1)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
