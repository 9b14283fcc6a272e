//! Tests, laid out like the source: `src/ops/softmax.rs` is tested in `ops/softmax.rs`.
//!
//! Tests not tied to a single source file are at the top level: `layering` (imports only point down), `determinism` (the same
//! seed gives the same bits), `panics` (every message is covered), `guide` and `readme` (both languages have the same code),
//! `wrong_programs` (messages as a beginner sees them), `limits` and `hostile` (extreme numbers, damaged files), `cart_pole` (the
//! environment of an example) and `conversions` (the optional features `ndarray` and `serde`).
//!
//! They form a single binary, because every test binary compiles and links the crate's generic code again.

mod autograd;
mod cart_pole;
#[cfg(all(feature = "ndarray", feature = "serde"))]
mod conversions;
mod data;
mod determinism;
mod distributed;
mod file;
mod guide;
mod hostile;
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
mod training;
mod transform;
mod wrong_programs;
