//! Normalization of channels and of rows.

pub(crate) mod batch_norm;
pub(crate) mod row_norm;
