//! Factorizations of single matrices, and triangular systems.

pub(crate) mod cholesky;
pub(crate) mod lu;
pub(crate) mod triangular;
