//! Models: what has parameters, layers, and how they begin.

mod init;
mod linear;
mod module;
mod summary;

pub use crate::autograd::Param;
pub use init::{Fan, Init, Nonlinearity};
pub use linear::Linear;
pub use module::{Module, Path};
pub use summary::Summary;
