//! Foundations of the kernels: element types, memory, threads and instruction sets.

pub(crate) mod dims;
pub(crate) mod float;
pub(crate) mod memory;
pub(crate) mod simd;
pub(crate) mod small_box;
pub(crate) mod threads;
