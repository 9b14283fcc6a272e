//! Matrix products.

use super::Float;
use super::threads::{for_each_index, num_threads};
use std::ops::Range;

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

/// Multiplications that are worth a thread of their own: a few microseconds.
const WORTH_A_THREAD: usize = 1 << 18;
/// Pieces of a product begin at multiples of this, the longest side of a micro-kernel.
const GRAIN: usize = 32;

/// `C ← A B + β C`, with C row-major. With β = 0 nothing is read from `c`.
///
/// Large products are cut by rows or by columns of C, whichever are more, and shared out among threads. Every element is
/// still the sum of the same terms in the same order.
pub(crate) fn gemm<T: Float>(a: Matrix<T>, b: Matrix<T>, beta: T, c: &mut [T]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows);
    assert_eq!(c.len(), m * n);
    let product = Product { a, b, beta, c: c.as_mut_ptr() };
    let pieces = num_threads().min(m * k * n / WORTH_A_THREAD).max(1);
    let (by_rows, side) = (m >= n, m.max(n));
    let size = side.div_ceil(pieces).max(1).next_multiple_of(GRAIN);
    for_each_index(side.div_ceil(size), |index| {
        let part = index * size..side.min((index + 1) * size);
        let (rows, columns) = if by_rows { (part, 0..n) } else { (0..m, part) };
        // SAFETY: the parts lie inside of C, as asserted above, and no two have an element in common.
        unsafe { product.carry_out(rows, columns) };
    });
}

/// A product that is to be carried out in parts.
struct Product<'a, T> {
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    beta: T,
    c: *mut T,
}

// SAFETY: what is written through the address, and that only one does so, `carry_out` leaves to its caller.
unsafe impl<T: Sync> Sync for Product<'_, T> {}

impl<T: Float> Product<'_, T> {
    /// Computes some rows and columns of C.
    ///
    /// # Safety
    /// C must have the size of the product, and nobody else may read or write these elements at the same time.
    unsafe fn carry_out(&self, rows: Range<usize>, columns: Range<usize>) {
        let (a, b, n) = (&self.a, &self.b, self.b.columns);
        // SAFETY: A and B cover their slices exactly, as asserted in `Matrix::new`, and the caller answers for C.
        unsafe {
            T::gemm(
                [rows.len(), a.columns, columns.len()],
                (a.data.as_ptr().offset(rows.start as isize * a.strides.0), a.strides.0, a.strides.1),
                (b.data.as_ptr().offset(columns.start as isize * b.strides.1), b.strides.0, b.strides.1),
                self.beta,
                (self.c.add(rows.start * n + columns.start), n as isize, 1),
            );
        }
    }
}
