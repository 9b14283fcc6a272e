//! Weight initialization.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("fans", || _ = Init::He.tensor::<f32>([3], &mut wengert::rng(0)))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
