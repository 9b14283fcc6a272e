//! Reading rows by index, and its adjoint, adding to rows by index.

use crate::kernel::Float;

/// `y[o, k, :] = x[o, indices[k], :]` for x `[outer, n, inner]`.
#[inline(never)]
pub(crate) fn index_select<T: Copy>(x: &[T], indices: &[usize], n: usize, inner: usize, y: &mut [T]) {
    if y.is_empty() {
        return;
    }
    for (y, x) in y.chunks_exact_mut(indices.len() * inner).zip(x.chunks_exact(n * inner)) {
        if inner == 1 {
            y.iter_mut().zip(indices).for_each(|(y, &at)| *y = x[at]);
        } else {
            for (row, &at) in y.chunks_exact_mut(inner).zip(indices) {
                row.copy_from_slice(&x[at * inner..][..inner]);
            }
        }
    }
}

simd! {
    /// `y[o, indices[k], :] += x[o, k, :]` for y `[outer, n, inner]`, in the order of k.
    pub(crate) fn index_add[T: Float](x: &[T], indices: &[usize], n: usize, inner: usize, y: &mut [T]) {
        if x.is_empty() {
            return;
        }
        for (y, x) in y.chunks_exact_mut(n * inner).zip(x.chunks_exact(indices.len() * inner)) {
            for (row, &at) in x.chunks_exact(inner).zip(indices) {
                for (y, &x) in y[at * inner..][..inner].iter_mut().zip(row) {
                    *y += x;
                }
            }
        }
    }
}
