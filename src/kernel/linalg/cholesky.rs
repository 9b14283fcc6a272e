//! Cholesky factorization.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::linalg::subtract_product;
use crate::kernel::linalg::triangular::solve_lower;
use crate::kernel::matmul::product::Matrix;

/// The size up to which matrices are factored row by row.
const BLOCK: usize = 16;

/// Factors a symmetric positive definite n × n matrix in place, `A = L Lᵀ`, with zeros above the diagonal of L.
///
/// If a pivot is not positive, returns its index and value; the matrix is then partly overwritten.
pub(crate) fn factor<T: Float>(a: &mut [T], n: usize) -> Result<(), (usize, T)> {
    // Computes Lᵀ in the upper triangle, where its rows are contiguous.
    factor_upper(a, n, n)?;
    for i in 0..n {
        for j in i + 1..n {
            a[j * n + i] = a[i * n + j];
            a[i * n + j] = T::ZERO;
        }
    }
    Ok(())
}

/// `A = Uᵀ U` in the upper triangle of an n × n matrix whose rows are `step` apart.
fn factor_upper<T: Float>(a: &mut [T], n: usize, step: usize) -> Result<(), (usize, T)> {
    if n <= BLOCK {
        return factor_block(a, n, step);
    }
    let half = n / 2;
    factor_upper(a, half, step)?;
    let (above, below) = a.split_at_mut(half * step);
    with_scratch(half * half, |corner| {
        Matrix::strided(above, half, half, step).copy_to(corner, |x| x);
        solve_lower(Matrix::new(corner, half, half, true), false, &mut above[half..], n - half, step);
    });
    let right = Matrix::strided(&above[half..], half, n - half, step);
    subtract_product(right.transposed(), right, &mut below[half..], step);
    factor_upper(&mut below[half..], n - half, step).map_err(|(pivot, value)| (half + pivot, value))
}

simd! {
    pub(crate) fn factor_block[T: Float](a: &mut [T], n: usize, step: usize) -> Result<(), (usize, T)> {
        for k in 0..n {
            let rest = &mut a[k * step..];
            let (row, below) = rest.split_at_mut(step.min(rest.len()));
            let row = &mut row[..n];
            let pivot = row[k];
            if pivot.is_nan() || pivot <= T::ZERO {
                return Err((k, pivot));
            }
            let root = pivot.sqrt();
            row[k..].iter_mut().for_each(|x| *x /= root);
            for (i, rest) in (k + 1..n).zip(below.chunks_mut(step)) {
                let factor = row[i];
                for (x, &y) in rest[i..n].iter_mut().zip(&row[i..]) {
                    *x -= factor * y;
                }
            }
        }
        Ok(())
    }
}
