//! Padding.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("pad_size", || _ = matrix().pad(&[(3, 0)], PadMode::Reflect))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
