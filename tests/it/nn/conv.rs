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

#[test]
fn sizes_for_two_axes_are_a_number_an_array_or_a_pair() {
    let make = |pair: bool| -> Conv2d {
        let rng = &mut wengert::rng(0);
        if pair {
            Conv2d::new(4, 2, (3, 2), Init::He, rng).stride((2, 1)).padding((1, 0))
        } else {
            Conv2d::new(4, 2, [3, 2], Init::He, rng).stride([2, 1]).padding([1, 0])
        }
    };
    assert_eq!(make(true).forward(&images()).value(), make(false).forward(&images()).value());
    assert_eq!(images().max_pool2d((2, 2)).value(), images().max_pool2d(2).value());
}
