//! Convolutional layers.

use crate::support::panics::{Panic, messages};
use crate::support::samples::images;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("wrong_shapes conv_channels", || {
        _ = Conv2d::new(3, 8, 3, Init::He, &mut wengert::rng(0)).forward(&images());
    }),
    ("layer_groups", || _ = Conv2d::<f32>::grouped(4, 6, 3, 4, Init::He, &mut wengert::rng(0))),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
