//! Index arrays.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("element_count", || _ = Indices::new([0, 1, 2], [2, 2]))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
