//! Adam.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("option", || _ = Adam::<f32>::new(0.1).betas(0.9, 1.0))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
