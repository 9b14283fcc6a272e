//! Triangular systems, solved by substitution. The inner loop runs over the right-hand sides, which are contiguous.

use crate::kernel::Float;
use crate::kernel::linalg::subtract_product;
use crate::kernel::matmul::product::Matrix;

/// The size up to which systems are solved row by row.
const BLOCK: usize = 16;

/// Solves `L X = B` in place of B `[n, m]`, whose rows are `step` apart, for the lower triangle L of an n × n matrix; its diagonal
/// is taken as 1 if `unit`.
#[inline(never)]
pub(crate) fn solve_lower<T: Float>(a: Matrix<T>, unit: bool, b: &mut [T], m: usize, step: usize) {
    let n = a.rows;
    if n <= BLOCK {
        return substitute_down(a, unit, b, m, step);
    }
    let half = n / 2;
    let (above, below) = b.split_at_mut(half * step);
    solve_lower(a.block(0..half, 0..half), unit, above, m, step);
    subtract_product(a.block(half..n, 0..half), Matrix::strided(above, half, m, step), below, step);
    solve_lower(a.block(half..n, half..n), unit, below, m, step);
}

/// Solves `U X = B` likewise for the upper triangle U.
#[inline(never)]
pub(crate) fn solve_upper<T: Float>(a: Matrix<T>, unit: bool, b: &mut [T], m: usize, step: usize) {
    let n = a.rows;
    if n <= BLOCK {
        return substitute_up(a, unit, b, m, step);
    }
    let half = n / 2;
    let (above, below) = b.split_at_mut(half * step);
    solve_upper(a.block(half..n, half..n), unit, below, m, step);
    subtract_product(a.block(0..half, half..n), Matrix::strided(below, n - half, m, step), above, step);
    solve_upper(a.block(0..half, 0..half), unit, above, m, step);
}

simd! {
    pub(crate) fn substitute_down[T: Float](a: Matrix<T>, unit: bool, b: &mut [T], m: usize, step: usize) {
        for i in 0..a.rows {
            let (solved, row) = b.split_at_mut(i * step);
            eliminate(a, i, unit, &mut row[..m], solved.chunks(step).enumerate());
        }
    }
}

simd! {
    pub(crate) fn substitute_up[T: Float](a: Matrix<T>, unit: bool, b: &mut [T], m: usize, step: usize) {
        for i in (0..a.rows).rev() {
            let rest = &mut b[i * step..];
            let (row, solved) = rest.split_at_mut(step.min(rest.len()));
            eliminate(a, i, unit, &mut row[..m], (i + 1..).zip(solved.chunks(step)));
        }
    }
}

/// Solves for one row, given the rows of the solution on which it depends.
#[inline(always)]
fn eliminate<'a, T: Float>(
    a: Matrix<T>,
    i: usize,
    unit: bool,
    row: &mut [T],
    solved: impl Iterator<Item = (usize, &'a [T])>,
) {
    for (j, solved) in solved {
        let factor = a.get(i, j);
        row.iter_mut().zip(solved).for_each(|(x, &y)| *x -= factor * y);
    }
    if !unit {
        let pivot = a.get(i, i);
        row.iter_mut().for_each(|x| *x /= pivot);
    }
}
