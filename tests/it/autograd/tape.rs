//! Buffers that a forward pass updates.

use crate::support::panics::{Panic, explained};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("buffer_shape", || Tape::new().update_buffer(&Param::new(1.0), 0.9, matrix()))];

#[test]
fn panics() {
    insta::assert_snapshot!(explained(PANICS));
}
