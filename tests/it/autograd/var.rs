//! Values of variables.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;

pub const PANICS: &[Panic] = &[("not_one_element", || _ = variable().item())];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
