//! LU factorisation with partial pivoting.

use crate::kernel::Float;
use crate::kernel::linalg::triangular;

simd! {
    /// Factors a row-major n × n matrix in place, `P A = L U`: L without its ones below the diagonal, U on and above it.
    ///
    /// Step k exchanged row k with row `pivots[k]`. Returns the first step that found no pivot other than 0: the matrix is singular.
    pub(crate) fn factor[T: Float](a: &mut [T], n: usize, pivots: &mut [usize]) -> Option<usize> {
        let mut singular = None;
        for k in 0..n {
            let larger = |best: usize, i: usize| if a[i * n + k].abs() > a[best * n + k].abs() { i } else { best };
            pivots[k] = (k..n).fold(k, larger);
            exchange(a, n, k, pivots[k]);
            let (above, below) = a.split_at_mut((k + 1) * n);
            let pivot_row = &above[k * n..];
            let pivot = pivot_row[k];
            if pivot == T::ZERO {
                singular = singular.or(Some(k));
                continue;
            }
            for row in below.chunks_exact_mut(n) {
                let factor = row[k] / pivot;
                row[k] = factor;
                for (x, &y) in row[k + 1..].iter_mut().zip(&pivot_row[k + 1..]) {
                    *x -= factor * y;
                }
            }
        }
        singular
    }
}

/// X with `A X = B` in place of B `[n, m]`, for the factors of A.
pub(crate) fn solve<T: Float>(factors: &[T], n: usize, pivots: &[usize], b: &mut [T], m: usize) {
    pivots.iter().enumerate().for_each(|(k, &pivot)| exchange(b, m, k, pivot));
    triangular::solve_lower(factors, n, true, b, m);
    triangular::solve_upper(factors, n, b, m);
}

/// Exchanges row k with a row that does not come before it, in a matrix of m columns.
#[inline(always)]
fn exchange<T: Float>(a: &mut [T], m: usize, k: usize, with: usize) {
    if with != k {
        let (above, below) = a.split_at_mut(with * m);
        above[k * m..][..m].swap_with_slice(&mut below[..m]);
    }
}
