//! Elementwise functions and operators.

pub(crate) mod activation;
pub(crate) mod arithmetic;
pub(crate) mod error_function;
pub(crate) mod exponential;
pub(crate) mod gated;
pub(crate) mod hyperbolic;
pub(crate) mod mask;
pub(crate) mod minmax;
pub(crate) mod power;
pub(crate) mod rounding;
pub(crate) mod scalar;
pub(crate) mod sign;
pub(crate) mod trigonometric;
