//! Data sets, and the batches that a training loop takes from them.
//!
//! A [`Dataset`] is anything that can gather some of its samples into a batch; [`Batches`] goes through one in order or
//! shuffled. [`mnist::load`] reads MNIST, [`idx::read`] any file of its format.

mod batches;
pub mod idx;
mod images;
pub mod mnist;

pub use batches::{Batches, Dataset};
pub use images::{ImageBatch, Images};
