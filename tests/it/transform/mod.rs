//! Transforms of whole functions: derivatives, gradient checks and recomputation.

mod check;
mod functional;
mod parallel;
mod recompute;

use crate::support::panics::Panic;

pub fn panics() -> Vec<Panic> {
    [check::PANICS, functional::PANICS, recompute::PANICS].concat()
}
