//! Dropout.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("probability", || _ = Dropout::new(-0.1).forward(&variable()))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
