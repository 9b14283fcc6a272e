//! Linear layers.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("wrong_shapes linear_inputs", || {
    _ = Linear::new(2, 1, Init::He, &mut wengert::rng(0)).forward(&variable());
})];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
