//! Every differentiable operation: forward and derivative side by side, one block each.
//!
//! They are methods of [`Var`](crate::Var), and operators. Elementwise functions of one input are
//! written with `elementwise!`, which spells out the [`Op`](crate::Op) implementation; everything else
//! implements the trait itself or is composed of other operations.
//!
//! Where a function has a kink, the derivative follows PyTorch: 0 for [`relu`](crate::Var::relu) and
//! [`abs`](crate::Var::abs) at 0 and for [`clamp`](crate::Var::clamp) at its bounds; half for each side of
//! [`maximum`](crate::Var::maximum) at a tie; everything to the first largest element for
//! [`max_over`](crate::Var::max_over).

/// Declares elementwise functions of one input: the method, the value, and the rule in terms of what it saves.
macro_rules! elementwise {
    ($($(#[$meta:meta])* $method:ident: $op:ident { $x:ident => $value:expr; $kept:ident: |$($v:ident),+| $rule:expr })*) => { $(
        #[derive(Debug)]
        struct $op;

        impl<T: Float> Op<T, 1> for $op {
            const NAME: &'static str = stringify!($method);
            const SAVE: Save = elementwise!(@save $kept);

            fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
                x.map(#[inline(always)] |$x: T| $value)
            }
            fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
                elementwise!(@rule $kept, saved, gy, |$($v),+| $rule)
            }
        }

        impl<T: Float> Var<T> {
            $(#[$meta])*
            #[track_caller]
            pub fn $method(&self) -> Var<T> {
                self.apply($op)
            }
        }
    )* };
    (@save input) => { Save::Inputs };
    (@save output) => { Save::Output };
    (@save nothing) => { Save::Nothing };
    (@rule input, $saved:ident, $upstream:ident, |$gy:ident, $x:ident| $rule:expr) => {{
        let ($gy, $x) = ($upstream, &$saved.input(0));
        [Some($rule)]
    }};
    (@rule output, $saved:ident, $upstream:ident, |$gy:ident, $y:ident| $rule:expr) => {{
        let ($gy, $y) = ($upstream, &$saved.output());
        [Some($rule)]
    }};
    (@rule nothing, $saved:ident, $upstream:ident, |$gy:ident| $rule:expr) => {{
        let ($gy, _) = ($upstream, $saved);
        [Some($rule)]
    }};
}

/// `Debug` for operations whose settings are plain from the shapes of what goes in and comes out.
macro_rules! debug_by_shape {
    ($($op:ident),*) => { $(
        impl std::fmt::Debug for $op {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str(stringify!($op))
            }
        }
    )* };
}

mod activation;
mod arithmetic;
mod batch_norm;
mod compare;
mod concat;
mod conv;
mod diagonal;
mod dropout;
mod einsum;
mod embedding;
mod exponential;
mod extremum;
mod gather;
mod hook;
mod hyperbolic;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod pool;
mod power;
mod product;
mod rounding;
mod row_norm;
mod scalar;
mod scan;
mod shape;
mod slice;
mod softmax;
mod statistics;
mod sum;
mod trigonometric;
mod window;

pub use batch_norm::{BatchNormalized, BatchStatistics};
pub use conv::Conv;
pub use einsum::{EinsumOperand, einsum};
pub use linalg::Triangle;
pub use loss::{CrossEntropy, Reduction};
pub use pool::{AdaptiveAvgPool, AvgPool, MaxPool};
pub use window::PerAxis;
