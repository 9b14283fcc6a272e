//! LU factorization with partial pivoting.

use crate::kernel::Float;
use crate::kernel::linalg::triangular;

simd! {
    /// Factors a row-major n × n matrix in place, `P A = L U`: L below the diagonal, without its unit diagonal, and U on and above it.
    ///
    /// Step k swaps row k with row `pivots[k]`. Returns the first step whose pivot is 0, if any: the matrix is singular.
    pub(crate) fn factor[T: Float](a: &mut [T], n: usize, pivots: &mut [usize]) -> Option<usize> {
        let mut singular = None;
        for start in (0..n).step_by(PANEL) {
            let end = (start + PANEL).min(n);
            for k in start..end {
                let larger = |best: usize, i: usize| if a[i * n + k].abs() > a[best * n + k].abs() { i } else { best };
                pivots[k] = (k..n).fold(k, larger);
                swap_rows(a, n, k, pivots[k]);
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
                    for (x, &y) in row[k + 1..end].iter_mut().zip(&pivot_row[k + 1..end]) {
                        *x -= factor * y;
                    }
                }
            }
            update_right(a, n, start, end);
        }
        singular
    }
}

/// Columns that are eliminated before the rest of each row is updated, which is then read once for all of them.
const PANEL: usize = 8;

/// Eliminates columns `start .. end`, whose factors are known, to the right of them.
#[inline(always)]
fn update_right<T: Float>(a: &mut [T], n: usize, start: usize, end: usize) {
    let width = n - end;
    for i in start + 1..end {
        let (above, row) = a.split_at_mut(i * n);
        for k in start..i {
            let factor = row[k];
            for (x, &y) in row[end..n].iter_mut().zip(&above[k * n + end..][..width]) {
                *x -= factor * y;
            }
        }
    }
    let (above, below) = a.split_at_mut(end * n);
    if width == 0 || end - start < PANEL {
        // The last panel has nothing below it.
        return;
    }
    let rows: [&[T]; PANEL] = std::array::from_fn(|k| &above[(start + k) * n + end..][..width]);
    for row in below.chunks_exact_mut(n) {
        let (left, right) = row.split_at_mut(end);
        let factors: [T; PANEL] = std::array::from_fn(|k| left[start + k]);
        let right = &mut right[..width];
        for j in 0..width {
            let mut x = right[j];
            for k in 0..PANEL {
                x -= factors[k] * rows[k][j];
            }
            right[j] = x;
        }
    }
}

/// Solves `A X = B` in place of B `[n, m]`, given the factors of A.
#[inline(never)]
pub(crate) fn solve<T: Float>(factors: &[T], n: usize, pivots: &[usize], b: &mut [T], m: usize) {
    pivots.iter().enumerate().for_each(|(k, &pivot)| swap_rows(b, m, k, pivot));
    triangular::solve_lower(factors, n, true, b, m);
    triangular::solve_upper(factors, n, b, m);
}

/// Swaps row k of a matrix of m columns with row `with` ≥ k.
#[inline(always)]
fn swap_rows<T: Float>(a: &mut [T], m: usize, k: usize, with: usize) {
    if with != k {
        let (above, below) = a.split_at_mut(with * m);
        above[k * m..][..m].swap_with_slice(&mut below[..m]);
    }
}
