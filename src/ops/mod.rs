//! Every differentiable operation: forward and derivative side by side, one block each.
//!
//! They are methods of [`Var`](crate::Var), and operators. Elementwise functions of one input are
//! written with `elementwise!`, those of two inputs that broadcast with `broadcasting!`, both of which spell out the
//! [`Op`](crate::Op) implementation; everything else implements the trait itself or is composed of other operations.
//! What is useful without a gradient is a method of [`Tensor`] as well, by the same line: `functions!`.
//!
//! Where a function has a kink, the derivative follows PyTorch: 0 for [`relu`](crate::Var::relu) and
//! [`abs`](crate::Var::abs) at 0 and for [`clamp`](crate::Var::clamp) at its bounds; half for each side of
//! [`maximum`](crate::Var::maximum) at a tie; everything to the first largest element for
//! [`max_over`](crate::Var::max_over).

#[macro_use]
mod macros;

mod dropout;
mod einsum;
mod elementwise;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod reduce;
pub(crate) mod registry;
mod shape;
mod softmax;
mod window;

pub use einsum::{EinsumOperand, einsum};
pub use linalg::Triangle;
pub use loss::{CrossEntropy, Reduction};
pub use norm::batch_norm::{BatchNormalized, BatchStatistics};
pub use window::PerAxis;
pub use window::conv::Conv;
pub use window::pool::{AdaptiveAvgPool, AvgPool, MaxPool};

use crate::autograd::{Mode, Tape};
use crate::tensor::{Float, Tensor};
use std::hint::black_box;

/// Instantiates for an element type what methods of variables do around the application of operations.
pub(crate) fn instantiate<T: Float>() {
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
