//! Models: what has parameters, layers, and how they begin.

#![warn(missing_debug_implementations)]

mod activation;
mod batch_norm;
mod containers;
mod conv;
mod diagnosis;
mod dropout;
mod embedding;
mod freeze;
mod group_norm;
mod init;
mod layer;
mod layer_norm;
mod linear;
mod module;
mod path;
mod pool;
mod recompute;
mod sequential;
mod summary;

pub use crate::autograd::Param;
pub use activation::{Elu, Flatten, Gelu, Identity, LeakyRelu, LogSoftmax, Relu, Sigmoid, Silu, Softmax, Softplus, Tanh};
pub use batch_norm::BatchNorm;
pub use conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d};
pub use diagnosis::Missing;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use group_norm::{GroupNorm, InstanceNorm};
pub use init::{Fan, Init, Nonlinearity};
pub use layer::{Lambda, Layer};
pub use layer_norm::{LayerNorm, RmsNorm};
pub use linear::Linear;
pub use module::Module;
#[doc(hidden)]
pub use module::absent;
pub use path::{Path, PathStep};
pub use pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d};
pub use recompute::recompute;
pub use sequential::Sequential;
pub use summary::Summary;
