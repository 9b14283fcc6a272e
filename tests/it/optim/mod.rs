//! Optimizers, learning rate schedules and related tools.

mod adam;
mod clip;
mod descent;
mod early_stopping;
mod finder;
mod option;
mod rmsprop;
mod schedule;
mod sgd;
mod sparse;
mod state;

use crate::support::panics::{Panic, messages};
use crate::support::samples::gradients_of;
use wengert::prelude::*;

pub fn panics() -> Vec<Panic> {
    [adam::PANICS, descent::PANICS, early_stopping::PANICS, sgd::PANICS, state::PANICS, PANICS].concat()
}

const PANICS: &[Panic] = &[("gradient_of_parameter", || {
    let mut weight = Param::new([1.0, 2.0]);
    let gradients = gradients_of(&weight);
    *weight.value_mut() = Tensor::ones([3]);
    Sgd::new(0.1).step(&mut weight, &gradients);
})];

#[test]
fn panics_of_steps() {
    insta::assert_snapshot!(messages(PANICS));
}
