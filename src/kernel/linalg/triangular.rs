//! Triangular systems, solved by substitution. The inner loop runs over the right-hand sides, which are contiguous.

use crate::kernel::Float;

simd! {
    /// Solves `L X = B` in place of B `[n, m]` for the lower triangle L of an n × n matrix; its diagonal is taken as 1 if `unit`.
    pub(crate) fn solve_lower[T: Float](a: &[T], n: usize, unit: bool, b: &mut [T], m: usize) {
        for i in 0..n {
            let (solved, row) = b.split_at_mut(i * m);
            let row = &mut row[..m];
            for (j, &factor) in a[i * n..][..i].iter().enumerate() {
                for (x, &y) in row.iter_mut().zip(&solved[j * m..][..m]) {
                    *x -= factor * y;
                }
            }
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
            for (j, &factor) in a[i * n..][..n][i + 1..].iter().enumerate() {
                for (x, &y) in row.iter_mut().zip(&solved[j * m..][..m]) {
                    *x -= factor * y;
                }
            }
            row.iter_mut().for_each(|x| *x /= a[i * n + i]);
        }
    }
}
