//! Shapes and element order.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

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

#[test]
fn axes_of_any_length_change_places() {
    for shape in [[1, 20, 33], [3, 16, 16], [2, 8, 50], [17, 31, 9], [40, 3, 8]] {
        let count = shape.iter().product::<usize>();
        let x: Tensor<f64> = Tensor::from_vec((0..count).map(|k| k as f64).collect(), shape);
        for axes in [[0, 2, 1], [2, 1, 0], [1, 0, 2], [2, 0, 1], [1, 2, 0]] {
            let y = x.permute(axes);
            for k in 0..count {
                let at = [k / (shape[1] * shape[2]), k / shape[2] % shape[1], k % shape[2]];
                assert_eq!(y[axes.map(|axis| at[axis])], k as f64, "{shape:?} by {axes:?}");
            }
        }
        let flipped = x.flip([1, 2]);
        assert_eq!(flipped[[0, 0, 0]], x[[0, shape[1] - 1, shape[2] - 1]]);
        assert_eq!(flipped.flip([2, 1]), x);
    }
}
