//! Values of variables.

use crate::support::panics::{Panic, explained};
use crate::support::samples::variable;

pub const PANICS: &[Panic] = &[("not_one_element", || _ = variable().item())];

#[test]
fn panics() {
    insta::assert_snapshot!(explained(PANICS));
}
