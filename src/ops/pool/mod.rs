//! Pooling: one number for each window that slides over an image, for each channel by itself.

mod average;
mod max;

pub use average::{AdaptiveAvgPool, AvgPool};
pub use max::MaxPool;
