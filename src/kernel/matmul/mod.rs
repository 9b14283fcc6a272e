//! Matrix products.

#[cfg(target_arch = "x86_64")]
mod copies;
pub(crate) mod dispatch;
pub(crate) mod gemm;
#[cfg(target_arch = "x86_64")]
mod micro_kernel;
pub(crate) mod product;
#[cfg(target_arch = "x86_64")]
mod vector;

use crate::kernel::Float;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};

/// The outer product `y[i, j] = a[i] b[j]`, in parallel; `b` is not empty.
#[inline(never)]
pub(crate) fn outer<T: Float>(a: &[T], b: &[T], y: &mut [T]) {
    let n = b.len();
    let size = chunk_size(y.len(), n);
    for_each_chunk(y, size, |index, y| outer_rows(&a[index * size / n..], b, y));
}

simd! {
    /// Rows of an outer product.
    pub(crate) fn outer_rows[T: Float](a: &[T], b: &[T], y: &mut [T]) {
        for (y, &a) in y.chunks_exact_mut(b.len()).zip(a) {
            for (y, &b) in y.iter_mut().zip(b) {
                *y = a * b;
            }
        }
    }
}
