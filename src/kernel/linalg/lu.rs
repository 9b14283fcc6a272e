//! LU factorization with partial pivoting.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::linalg::triangular::{solve_lower, solve_upper};
use crate::kernel::matmul::gemm::gemm_serial;
use crate::kernel::matmul::product::{Accum, Matrix};
use std::ops::Range;

/// The number of columns up to which they are eliminated one by one.
const PANEL: usize = 8;

/// Factors a row-major n × n matrix in place, `P A = L U`: L below the diagonal, without its unit diagonal, and U on and above it.
///
/// Step k swaps row k with row `pivots[k]`. Returns the first step whose pivot is 0, if any: the matrix is singular.
pub(crate) fn factor<T: Float>(a: &mut [T], n: usize, pivots: &mut [usize]) -> Option<usize> {
    factor_columns(a, n, 0..n, pivots)
}

/// Eliminates columns, below the rows of the same numbers, and swaps whole rows.
fn factor_columns<T: Float>(a: &mut [T], n: usize, columns: Range<usize>, pivots: &mut [usize]) -> Option<usize> {
    let Range { start, end } = columns;
    if end - start <= PANEL {
        return factor_panel(a, n, start, end, pivots);
    }
    let middle = start.midpoint(end);
    let (left, right) = (middle - start, end - middle);
    let singular = factor_columns(a, n, start..middle, pivots);
    let (above, below) = a[start * n..].split_at_mut(left * n);
    with_scratch(left * left, |l| {
        Matrix::strided(&above[start..], left, left, n).copy_to(l, |x| x);
        solve_lower(Matrix::new(l, left, left, false), true, &mut above[middle..], right, n);
    });
    with_scratch((n - middle) * left, |l| {
        Matrix::strided(&below[start..], n - middle, left, n).copy_to(l, |x| -x);
        let u = Matrix::strided(&above[middle..], left, right, n);
        gemm_serial(Matrix::new(l, n - middle, left, false), u, Accum::Add, &mut below[middle..], n);
    });
    singular.or(factor_columns(a, n, middle..end, pivots))
}

simd! {
    pub(crate) fn factor_panel[T: Float](a: &mut [T], n: usize, start: usize, end: usize, pivots: &mut [usize]) -> Option<usize> {
        let mut singular = None;
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
        singular
    }
}

/// Solves `A X = B`, or `Aᵀ X = B`, in place of B `[n, m]`, given the factors of A.
#[inline(never)]
pub(crate) fn solve<T: Float>(factors: &[T], pivots: &[usize], transposed: bool, b: &mut [T], m: usize) {
    let n = pivots.len();
    let factors = Matrix::new(factors, n, n, transposed);
    if transposed {
        solve_lower(factors, false, b, m, m);
        solve_upper(factors, true, b, m, m);
        pivots.iter().enumerate().rev().for_each(|(k, &pivot)| swap_rows(b, m, k, pivot));
    } else {
        pivots.iter().enumerate().for_each(|(k, &pivot)| swap_rows(b, m, k, pivot));
        solve_lower(factors, true, b, m, m);
        solve_upper(factors, false, b, m, m);
    }
}

/// Swaps row k of a matrix of m columns with row `with` ≥ k.
#[inline(always)]
fn swap_rows<T: Float>(a: &mut [T], m: usize, k: usize, with: usize) {
    if with != k {
        let (above, below) = a.split_at_mut(with * m);
        above[k * m..][..m].swap_with_slice(&mut below[..m]);
    }
}
