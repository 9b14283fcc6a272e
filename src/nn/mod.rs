//! Models: what has parameters, layers, and how they begin.

mod batch_norm;
mod conv;
mod diagnosis;
mod dropout;
mod embedding;
mod group_norm;
mod init;
mod layer_norm;
mod linear;
mod module;
mod pool;
mod recompute;
mod summary;

pub use crate::autograd::Param;
pub use batch_norm::BatchNorm;
pub use conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d};
pub use diagnosis::Missing;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use group_norm::{GroupNorm, InstanceNorm};
pub use init::{Fan, Init, Nonlinearity};
pub use layer_norm::{LayerNorm, RmsNorm};
pub use linear::Linear;
pub use module::{Module, Path, PathStep};
pub use pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d};
pub use recompute::recompute;
pub use summary::Summary;
