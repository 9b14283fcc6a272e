//! wengert
#![warn(missing_docs)]

mod panics;

mod kernel;

pub mod autograd;
pub mod data;
pub mod nn;
pub mod ops;
pub mod optim;
pub mod tensor;

pub use autograd::{Gradients, Mode, Op, Operand, Param, Save, Saved, Tape, Var, apply, check};
pub use nn::{Fan, Init, Linear, Module, Nonlinearity};
pub use ops::{CrossEntropy, Reduction};
pub use rand;
pub use tensor::{Float, Tensor, keepdim};

/// A generator with a fixed algorithm, xoshiro256++: the same seed gives the same numbers on every machine and in every version.
pub fn rng(seed: u64) -> rand::rngs::Xoshiro256PlusPlus {
    rand::SeedableRng::seed_from_u64(seed)
}

/// Everything that a program needs: `use wengert::prelude::*;`.
pub mod prelude {
    pub use crate::autograd::{Gradients, Mode, Op, Operand, Param, Save, Saved, Tape, Var, apply, check};
    pub use crate::module;
    pub use crate::nn::{Fan, Init, Linear, Module, Nonlinearity};
    pub use crate::ops::{CrossEntropy, Reduction};
    pub use crate::optim::{Adam, Optimizer, Sgd};
    pub use crate::tensor;
    pub use crate::tensor::{Float, Tensor, keepdim};
    pub use rand::Rng;
}
