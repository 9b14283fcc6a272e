//! Group normalization and instance normalization.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("groups", || _ = GroupNorm::<f32>::new(2, 3)),
    ("affine_shape", || _ = GroupNorm::new(1, 4).forward(&variable())),
    ("no_positions", || _ = InstanceNorm::new().forward(&variable())),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
