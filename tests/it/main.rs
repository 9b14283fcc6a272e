//! Tests, laid out like the source: `src/ops/softmax.rs` is tested in `ops/softmax.rs`.
//!
//! Tests not tied to a single source file are at the top level: `layering` (imports only point down), `determinism` (the same
//! seed gives the same bits), `panics` (every message is covered), `guide` (both languages have the same pages and code) and
//! `wrong_programs` (messages as a beginner sees them).
//! seed gives the same bits), `panics` (every message is covered), `wrong_programs` (messages as a beginner sees them) and `cart_pole`
//! (the environment of an example).
//!
//! They form a single binary, because every test binary compiles and links the crate's generic code again.

mod autograd;
mod cart_pole;
mod data;
mod determinism;
mod file;
mod guide;
mod inspect;
mod io;
mod layering;
mod limits;
mod metrics;
mod nn;
mod ops;
mod optim;
mod panics;
mod readme;
mod support;
mod tensor;
mod text;
mod transform;
mod wrong_programs;
