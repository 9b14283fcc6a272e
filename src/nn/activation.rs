//! Activation functions and other elementary layers without parameters.

use super::layer::stateless;
use super::{Layer, Module, Path};
use crate::autograd::{Param, Var};
use crate::tensor::Float;

/// Declares layers that each apply one method of [`Var`], with its options as fields.
macro_rules! activations {
    ($($(#[$meta:meta])* $name:ident $(($($option:ident: $type:ty),+))? = |$x:ident| $y:expr;)*) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name $(($(#[doc = concat!("The `", stringify!($option), "` argument of the method.")] pub $type),+))?;

        stateless!([] $name, stringify!($name));

        impl<T: Float> Layer<T> for $name {
            #[track_caller]
            fn forward(&self, $x: &Var<T>) -> Var<T> {
                let &$name $(($($option),+))? = self;
                $y
            }
        }
    )* };
}

activations! {
    /// The identity, `y = x`.
    Identity = |x| x.clone();
    /// [`Var::flatten`] of all axes except the first, the batch axis.
    Flatten = |x| x.flatten(1, -1);
    /// [`Var::relu`].
    Relu = |x| x.relu();
    /// [`Var::leaky_relu`] with the given slope; PyTorch's default is 0.01.
    LeakyRelu(slope: f64) = |x| x.leaky_relu(slope);
    /// [`Var::relu6`].
    Relu6 = |x| x.relu6();
    /// [`Var::elu`] with the given α; PyTorch's default is 1.
    Elu(alpha: f64) = |x| x.elu(alpha);
    /// [`Var::selu`].
    Selu = |x| x.selu();
    /// [`Var::gelu`].
    Gelu = |x| x.gelu();
    /// [`Var::silu`].
    Silu = |x| x.silu();
    /// [`Var::mish`].
    Mish = |x| x.mish();
    /// [`Var::hardswish`].
    Hardswish = |x| x.hardswish();
    /// [`Var::sigmoid`].
    Sigmoid = |x| x.sigmoid();
    /// [`Var::log_sigmoid`].
    LogSigmoid = |x| x.log_sigmoid();
    /// [`Var::hardsigmoid`].
    Hardsigmoid = |x| x.hardsigmoid();
    /// [`Var::tanh`].
    Tanh = |x| x.tanh();
    /// [`Var::softplus`].
    Softplus = |x| x.softplus();
    /// [`Var::softmax`] over the given axis.
    Softmax(axis: isize) = |x| x.softmax(axis);
    /// [`Var::log_softmax`] over the given axis.
    LogSoftmax(axis: isize) = |x| x.log_softmax(axis);
}
