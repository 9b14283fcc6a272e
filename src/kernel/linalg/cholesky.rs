//! Cholesky factorization.

use crate::kernel::Float;
use crate::kernel::linalg::triangular::subtract_rows;

simd! {
    /// Factors a symmetric positive definite n × n matrix in place, `A = L Lᵀ`, with zeros above the diagonal of L.
    ///
    /// If a pivot is not positive, returns its index and value; the matrix is then partly overwritten.
    pub(crate) fn factor[T: Float](a: &mut [T], n: usize) -> Result<(), (usize, T)> {
        // Computes Lᵀ in the upper triangle, where its rows are contiguous, and copies its columns, for factors, to the lower one.
        for k in 0..n {
            let (above, below) = a.split_at_mut(k * n);
            let (left, row) = below[..n].split_at_mut(k);
            subtract_rows(row, left, above.get(k..).unwrap_or_default(), n);
            let pivot = row[0];
            if pivot.is_nan() || pivot <= T::ZERO {
                return Err((k, pivot));
            }
            let root = pivot.sqrt();
            row.iter_mut().for_each(|x| *x /= root);
            for i in k + 1..n {
                a[i * n + k] = a[k * n + i];
            }
        }
        for i in 0..n {
            a[i * n..(i + 1) * n][i + 1..].fill(T::ZERO);
        }
        Ok(())
    }
}
