//! Tests laid out like the source: those of `src/ops/softmax.rs` are in `ops/softmax.rs`.
//!
//! Tests that concern no single file stand beside the folders: `layering` (imports go one way), `determinism` (the same seed
//! gives the same bits), `panics` (every message is covered) and `wrong_programs` (messages as a beginner meets them).
//!
//! All of them are one binary because every binary compiles and links its own share of the crate.

mod autograd;
mod data;
mod determinism;
mod file;
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
