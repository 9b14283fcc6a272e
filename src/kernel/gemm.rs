//! Matrix products.

use super::Float;

/// A matrix in a slice: rows, columns, and the step between rows and between columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    strides: (isize, isize),
}

impl<'a, T> Matrix<'a, T> {
    /// `data` as a row-major matrix, or the transpose of that: `rows` and `columns` are those of the result.
    pub(crate) fn new(data: &'a [T], rows: usize, columns: usize, transposed: bool) -> Self {
        assert_eq!(data.len(), rows * columns);
        let strides = if transposed { (1, rows as isize) } else { (columns as isize, 1) };
        Matrix { data, rows, columns, strides }
    }
}

/// `C ← A B + β C`, with C row-major. With β = 0 nothing is read from `c`.
pub(crate) fn gemm<T: Float>(a: Matrix<T>, b: Matrix<T>, beta: T, c: &mut [T]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows);
    assert_eq!(c.len(), m * n);
    // SAFETY: each matrix covers its slice exactly, as asserted here and in `Matrix::new`, and `c` is borrowed mutably.
    unsafe {
        T::gemm(
            [m, k, n],
            (a.data.as_ptr(), a.strides.0, a.strides.1),
            (b.data.as_ptr(), b.strides.0, b.strides.1),
            beta,
            (c.as_mut_ptr(), n as isize, 1),
        );
    }
}
