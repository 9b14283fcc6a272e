//! Reductions and scans along axes.

pub(crate) mod minmax;
mod product;
pub(crate) mod scan;
mod statistics;
pub(crate) mod sum;
pub(crate) mod vector_norm;
