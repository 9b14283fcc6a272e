//! Buffers that a forward pass updates.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("buffer_shape", || Tape::new().update_buffer(&Param::new(1.0), 0.9, matrix()))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
