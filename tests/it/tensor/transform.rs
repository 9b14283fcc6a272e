//! Shapes and element order.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = matrix().transpose(0, 2)),
    ("axis_out_of_range", || _ = matrix().permute([0, 2])),
    ("not_a_shape", || _ = matrix().reshape([-1, -1])),
    ("element_count", || _ = matrix().reshape([4, -1])),
    ("not_a_permutation", || _ = matrix().permute([1, 1])),
    ("not_a_permutation", || _ = matrix().permute([0])),
    ("does_not_broadcast_to", || _ = matrix().broadcast_to([2, 4])),
    ("no_matrix", || _ = matrix().sum_over(0).tril(0)),
    ("repeats", || _ = matrix().repeat([2])),
    ("axis_out_of_range", || _ = matrix().repeat_interleave(2, 2)),
    ("axis_out_of_range", || _ = matrix().roll(1, 2)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
