//! What can stand beside a variable.

use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;

pub const PANICS: &[Panic] = &[("two_tapes", || _ = variable() + variable().exp())];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
