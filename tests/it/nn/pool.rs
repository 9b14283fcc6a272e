//! Pooling layers.

use crate::support::panics::{Panic, messages};
use crate::support::samples::images;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("window_too_large", || _ = MaxPool2d::new([2, 7]).forward(&images()))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
