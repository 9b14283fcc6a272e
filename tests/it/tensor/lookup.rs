//! Gathering elements by index.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("row_out_of_range", || _ = matrix().rows(&[1, 2])),
    ("index_shape", || _ = matrix().gather(1, [0, 1])),
    ("selection_out_of_range", || _ = matrix().gather(0, [[0, 2, 1]])),
    ("selection_out_of_range", || _ = matrix().index_select(1, &[3])),
    ("selection_out_of_range", || _ = matrix().index_add(0, &[2], &matrix().slice(0, ..1))),
    ("wrong_shapes source_shape", || _ = matrix().index_add(0, &[0], &matrix())),
    ("wrong_shapes source_shape", || _ = matrix().scatter_add(0, [[0, 1, 0]], &matrix())),
    ("index_count", || _ = matrix().index(&[0.into(), 0.into(), 0.into()])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn scattered_sums_are_those_of_variables() {
    let (x, tape) = (Tensor::<f64>::randn([3, 4], &mut wengert::rng(0)), Tape::new_f64());
    let indices = Indices::new([2, 0, 2, 1, 1, 0], [2, 3]);
    let source = Tensor::randn([2, 3], &mut wengert::rng(1));
    for axis in [0, 1] {
        let expected = tape.constant(&x).scatter_add(axis, &indices, &source);
        assert_eq!(&x.scatter_add(axis, &indices, &source), expected.value());
    }
    let columns = x.index_select(1, &[0, 0, 2]);
    assert_eq!(&x.index_add(1, &[3, 3, 1], &columns), tape.constant(&x).index_add(1, &[3, 3, 1], &columns).value());
}
