//! Models: what has parameters, layers, and how they begin.

mod batch_norm;
mod diagnosis;
mod dropout;
mod init;
mod linear;
mod module;
mod summary;

pub use crate::autograd::Param;
pub use batch_norm::BatchNorm;
pub use diagnosis::Missing;
pub use dropout::Dropout;
pub use init::{Fan, Init, Nonlinearity};
pub use linear::Linear;
pub use module::{Module, Path};
pub use summary::Summary;
