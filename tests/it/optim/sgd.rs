//! Stochastic gradient descent.

use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("option", || _ = Sgd::<f32>::new(-1.0))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
