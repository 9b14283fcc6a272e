//! The tests of the crate, in the folders of its source: what is tested of `src/ops/softmax.rs` is in `ops/softmax.rs`.
//!
//! Beside them are the tests that concern no file alone: that imports go one way, that the same seed gives the same bits, and
//! what whole programs with a mistake in them are told. They are one program, because each further one is linked anew.

mod autograd;
mod data;
mod determinism;
mod inspect;
mod io;
mod layering;
mod metrics;
mod nn;
mod ops;
mod optim;
mod panics;
mod support;
mod tensor;
mod transform;
mod wrong_programs;
