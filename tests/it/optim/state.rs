//! Optimizer state.

use crate::support::panics::{Panic, messages};
use crate::support::samples::gradients_of;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("state_shape", || {
    let mut optimizer = Adam::new(0.1);
    for size in [2, 3] {
        let mut weight = Param::new(Tensor::ones([size]));
        let gradients = gradients_of(&weight);
        optimizer.step(&mut weight, &gradients);
    }
})];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
