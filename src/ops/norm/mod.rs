//! Batch normalization, and the normalizations of rows: layer, RMS, group and instance.

pub(crate) mod batch_norm;
pub(crate) mod row_norm;
