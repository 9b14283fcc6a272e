//! Normalization, over channels and over rows.

pub(crate) mod batch_norm;
pub(crate) mod row_norm;
