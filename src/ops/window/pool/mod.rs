//! Pooling: one number for each window that slides over an image, for each channel by itself.

pub(crate) mod average;
pub(crate) mod max;

pub use average::{AdaptiveAvgPool, AvgPool};
pub use max::MaxPool;
