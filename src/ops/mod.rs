//! The differentiable operations, each one block with its forward pass and its backward rule side by side.
//!
//! Operations are methods of [`Var`](crate::Var) and operators. `elementwise!` declares elementwise functions of one input and
//! `broadcasting!` functions of two inputs that broadcast; both expand to an [`Op`](crate::Op) implementation. All others
//! implement the trait directly or are composed of other operations. `functions!` declares a method of variables and, for
//! use without gradients, of [`Tensor`] in a single line.
//!
//! Where a function is not differentiable, the gradient follows PyTorch: 0 for [`relu`](crate::Var::relu) and
//! [`abs`](crate::Var::abs) at 0 and for [`clamp`](crate::Var::clamp) at its bounds; half to each input of
//! [`maximum`](crate::Var::maximum) at a tie; all of it to the first maximum for [`max_over`](crate::Var::max_over).
//!
#![doc = include_str!("../../docs/operations.md")]
//!
#![doc = include_str!("../../docs/accuracy.md")]

#[macro_use]
mod macros;

mod attention;
mod dropout;
mod einsum;
mod elementwise;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod recurrent;
mod reduce;
pub(crate) mod registry;
mod shape;
mod softmax;
mod window;

pub use attention::{Attention, KeyValueCache, Rotary, alibi, sinusoidal_positions};
pub(crate) use dropout::check_rate;
pub use einsum::{EinsumOperand, einsum};
pub use linalg::Triangle;
pub use loss::{CrossEntropy, Reduction};
pub use norm::batch_norm::{BatchNormalized, BatchStatistics};
pub(crate) use recurrent::{Cell, Steps, recur};
pub use shape::embedding::Bag;
pub(crate) use shape::embedding::uses_of;
pub use window::PerAxis;
pub use window::conv::Conv;
pub use window::pool::{AdaptiveAvgPool, AvgPool, MaxPool};

use crate::autograd::{Mode, Tape};
use crate::tensor::{Float, Tensor};
use std::hint::black_box;

/// Instantiates the operations and the methods composed of them for an element type; see [`crate::instances`].
pub(crate) fn instantiate<T: Float>() {
    registry::instantiate::<T>();
    let x = Tape::<T>::with_mode(Mode::Inference).var(Tensor::ones([1, 1, 1, 1]));
    let row = x.flatten(0, 2);
    _ = black_box([x.matmul(&x), x.linear(&row), x.norm_over(1.0, 0), x.prod(), x.conv1d(&x, Conv::new())]);
    _ = black_box([
        x.conv2d(&x, Conv::new()),
        x.conv_transpose1d(&x, Conv::new()),
        x.conv_transpose2d(&x, Conv::new()),
    ]);
    _ = black_box([row.softmax_cross_entropy(&[0]), row.nll_loss(&[0])]);
}
