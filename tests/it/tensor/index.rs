//! Single elements.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;

pub const PANICS: &[Panic] =
    &[("index_out_of_range", || _ = matrix()[[2, 0]]), ("index_out_of_range", || matrix()[[0]] = 1.0)];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
