//! Cumulative sums and products.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;

pub const PANICS: &[Panic] =
    &[("axis_out_of_range", || _ = matrix().cumsum(2)), ("axis_out_of_range", || _ = matrix().cumprod(-3))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
