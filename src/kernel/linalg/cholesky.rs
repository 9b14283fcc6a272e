//! Cholesky factorization.

use crate::kernel::Float;

simd! {
    /// Factors a symmetric positive definite n × n matrix in place, `A = L Lᵀ`, with zeros above the diagonal of L.
    ///
    /// If a pivot is not positive, returns its index and value; the matrix is then partly overwritten.
    pub(crate) fn factor[T: Float](a: &mut [T], n: usize) -> Result<(), (usize, T)> {
        // Computes Lᵀ in the upper triangle, where its rows are contiguous.
        for k in 0..n {
            let (above, below) = a.split_at_mut((k + 1) * n);
            let row = &mut above[k * n..];
            let pivot = row[k];
            if pivot.is_nan() || pivot <= T::ZERO {
                return Err((k, pivot));
            }
            let root = pivot.sqrt();
            row[k..].iter_mut().for_each(|x| *x /= root);
            for (i, rest) in (k + 1..n).zip(below.chunks_exact_mut(n)) {
                let factor = row[i];
                for (x, &y) in rest[i..].iter_mut().zip(&row[i..]) {
                    *x -= factor * y;
                }
            }
        }
        for i in 0..n {
            for j in i + 1..n {
                a[j * n + i] = a[i * n + j];
                a[i * n + j] = T::ZERO;
            }
        }
        Ok(())
    }
}
