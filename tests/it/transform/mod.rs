//! What works on whole functions: their derivatives, checking them, and recomputing.

mod check;
mod functional;
mod recompute;

use crate::support::panics::Panic;

pub fn panics() -> Vec<Panic> {
    [functional::PANICS, recompute::PANICS].concat()
}
