//! Triangular systems, solved by substitution. The inner loop runs over the right-hand sides, which are contiguous.

use crate::kernel::Float;

/// Rows that are subtracted together, so that the row that they are subtracted from is read and written once for all of them.
const GROUP: usize = 8;

/// `x ← x − Σ factors[k] rows[k]` in the order of k; row k begins at element `k step` of `rows`.
#[inline(always)]
pub(super) fn subtract_rows<T: Float>(x: &mut [T], factors: &[T], rows: &[T], step: usize) {
    let width = x.len();
    let (groups, rest) = factors.as_chunks::<GROUP>();
    for (group, factors) in groups.iter().enumerate() {
        let rows: [&[T]; GROUP] = std::array::from_fn(|k| &rows[(group * GROUP + k) * step..][..width]);
        for (j, x) in x.iter_mut().enumerate() {
            let mut sum = *x;
            for k in 0..GROUP {
                sum -= factors[k] * rows[k][j];
            }
            *x = sum;
        }
    }
    for (k, &factor) in (groups.len() * GROUP..).zip(rest) {
        for (x, &y) in x.iter_mut().zip(&rows[k * step..][..width]) {
            *x -= factor * y;
        }
    }
}

simd! {
    /// Solves `L X = B` in place of B `[n, m]` for the lower triangle L of an n × n matrix; its diagonal is taken as 1 if `unit`.
    pub(crate) fn solve_lower[T: Float](a: &[T], n: usize, unit: bool, b: &mut [T], m: usize) {
        for i in 0..n {
            let (solved, row) = b.split_at_mut(i * m);
            let row = &mut row[..m];
            subtract_rows(row, &a[i * n..][..i], solved, m);
            if !unit {
                row.iter_mut().for_each(|x| *x /= a[i * n + i]);
            }
        }
    }
}

simd! {
    /// Solves `U X = B` in place of B `[n, m]` for the upper triangle U of an n × n matrix.
    pub(crate) fn solve_upper[T: Float](a: &[T], n: usize, b: &mut [T], m: usize) {
        for i in (0..n).rev() {
            let (row, solved) = b[i * m..].split_at_mut(m);
            subtract_rows(row, &a[i * n..][..n][i + 1..], solved, m);
            row.iter_mut().for_each(|x| *x /= a[i * n + i]);
        }
    }
}
