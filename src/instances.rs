//! Instances of generic functions for both element types, compiled in this crate so that programs link them.
//!
//! A generic function is compiled in the crate that calls it, at every build and at the optimization level of that crate.
//! `#[inline(never)]` functions are the exception: if this crate contains an instance, the program links to it. The functions
//! that do the work (loops over slices, the application of an operation, the backward pass, optimizer steps) therefore carry
//! the attribute and are instantiated here, which leaves only thin generic shells to the program. This affects build times
//! and the speed of debug builds, nothing else.

use crate::tensor::Float;

/// Refers to the functions to instantiate; never called.
#[doc(hidden)]
#[inline(never)]
pub fn instantiate() {
    of::<f32>();
    of::<f64>();
}

fn of<T: Float>() {
    crate::tensor::instantiate::<T>();
    crate::autograd::instantiate::<T>();
    crate::ops::instantiate::<T>();
    crate::inspect::instantiate::<T>();
    crate::nn::instantiate::<T>();
    crate::optim::instantiate::<T>();
    crate::text::instantiate::<T>();
}

/// The names of all operations, for the coverage tests.
#[doc(hidden)]
pub fn operations() -> Vec<&'static str> {
    crate::ops::registry::names()
}
