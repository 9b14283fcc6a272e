//! Matrix products.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;

pub const PANICS: &[Panic] = &[("wrong_shapes do_not_chain", || _ = matrix().matmul(&matrix()))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
