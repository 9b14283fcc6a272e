//! Factorizations of single matrices, and solving with triangular ones.

pub(crate) mod cholesky;
pub(crate) mod lu;
pub(crate) mod triangular;
