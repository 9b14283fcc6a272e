//! Layer normalization.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("not_trailing", || _ = LayerNorm::new([2]).forward(&variable())),
    ("not_trailing", || _ = RmsNorm::new([3, 2]).forward(&variable())),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
