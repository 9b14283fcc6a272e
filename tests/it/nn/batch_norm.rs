//! Batch normalization.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("batch_of_one", || {
        let tape = Tape::training(&mut wengert::rng(0));
        _ = BatchNorm::new(3).forward(&tape.var(Tensor::ones([1, 3])));
    }),
    ("initial_statistics", || {
        let mut layer = BatchNorm::new(3);
        let gradients = layer.forward(&variable()).sum().backward();
        Sgd::new(0.1).step(&mut layer, &gradients);
    }),
    ("not_per_channel", || _ = BatchNorm::new(2).forward(&variable())),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
