//! What this crate compiles for both element types, so that a program that uses it does not have to.
//!
//! A generic function is compiled in the crate that calls it, again at each of its builds and with the optimization level of
//! that crate. An exception is a function with `#[inline(never)]`: if this crate has an instance of it, the program is linked
//! to that one. So the functions where the work begins carry the attribute (the loops over slices, the application of an
//! operation, the backward pass, the steps of optimizers) and are instantiated here. What is left for the program are thin
//! generic shells. Nothing depends on it but build times, and the speed of debug builds.

use crate::tensor::Float;

/// Refers to the functions to instantiate. It is never called.
#[doc(hidden)]
#[inline(never)]
pub fn instantiate() {
    of::<f32>();
    of::<f64>();
}

fn of<T: Float>() {
    crate::autograd::instantiate::<T>();
    crate::ops::registry::instantiate::<T>();
    crate::inspect::instantiate::<T>();
}

/// The names of all operations, for the tests that have to cover them.
#[doc(hidden)]
pub fn operations() -> Vec<&'static str> {
    crate::ops::registry::names()
}
