//! Transformations built on differentiation: derivatives of functions, gradient checks, gradients over shards, and recomputation.

pub mod check;
pub mod functional;
pub mod parallel;
mod recompute;
pub(crate) mod tree;
