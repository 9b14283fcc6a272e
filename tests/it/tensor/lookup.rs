//! Gathering elements by index.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;

pub const PANICS: &[Panic] = &[
    ("row_out_of_range", || _ = matrix().rows(&[1, 2])),
    ("index_shape", || _ = matrix().gather(1, [0, 1])),
    ("selection_out_of_range", || _ = matrix().gather(0, [[0, 2, 1]])),
    ("selection_out_of_range", || _ = matrix().index_select(1, &[3])),
    ("index_count", || _ = matrix().index(&[0.into(), 0.into(), 0.into()])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
