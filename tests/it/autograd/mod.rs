//! The tape, its variables and differentiation.

mod backward;
mod bindings;
mod custom;
mod gradients;
mod hook;
mod missing;
mod op;
mod operand;
mod param;
mod tape;
mod var;

use crate::support::panics::Panic;

pub fn panics() -> Vec<Panic> {
    [backward::PANICS, bindings::PANICS, gradients::PANICS, op::PANICS, operand::PANICS, tape::PANICS, var::PANICS]
        .concat()
}
