//! Matrix products.

pub(crate) mod gemm;
#[cfg(target_arch = "x86_64")]
mod micro_kernel;
#[cfg(target_arch = "x86_64")]
mod vector;
