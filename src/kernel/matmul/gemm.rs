//! General matrix products, whose blocks are computed in parallel.
//!
//! The partition among threads does not change a bit of the result.

use crate::kernel::Float;
use crate::kernel::base::memory::Block;
use crate::kernel::base::threads::{for_each_chunk, for_each_index, num_threads};
use crate::kernel::matmul::product::{Accum, Matrix, Product};

/// Minimum multiply-adds per thread: a few microseconds of work.
pub(crate) const MIN_FMAS_PER_THREAD: usize = 1 << 18;
/// The blocks of C that threads share begin at multiples of the rows and of the columns of a tile.
const TILE: [usize; 2] = [8, 32];

/// `C ← A B + …`, with C row-major.
///
/// Large products are split by rows or by columns of C, whichever are more, and run in parallel.
#[inline(never)]
pub(crate) fn gemm<T: Float>(a: Matrix<T>, b: Matrix<T>, accum: Accum<T>, c: &mut [T]) {
    if a.columns == 0 {
        return without_terms(a.rows, b.columns, accum, c);
    }
    in_parallel(&Product::new(a, b, accum, c));
}

/// [`gemm`] into rows of C that are `step` apart; there must be terms.
#[inline(never)]
pub(crate) fn gemm_strided<T: Float>(a: Matrix<T>, b: Matrix<T>, accum: Accum<T>, c: &mut [T], step: usize) {
    in_parallel(&Product::with_step(a, b, accum, c, step));
}

/// Computes a product, of which nothing else is computed at the same time.
fn in_parallel<T: Float>(product: &Product<T>) {
    let (m, k, n) = (product.a.rows, product.a.columns, product.b.columns);
    let parts = num_threads().min(m * k * n / MIN_FMAS_PER_THREAD).max(1);
    let (by_rows, side, multiple) = if m > n { (true, m, TILE[0]) } else { (false, n, TILE[1]) };
    let size = side.div_ceil(parts).max(1).next_multiple_of(multiple);
    for_each_index(side.div_ceil(size), |index| {
        let part = index * size..side.min((index + 1) * size);
        let (rows, columns) = if by_rows { (part, 0..n) } else { (0..m, part) };
        // SAFETY: the ranges are within the m rows and n columns of C. Blocks of different indices are disjoint, and the
        // product borrows C exclusively.
        unsafe { T::gemm(product, rows, columns) };
    });
}

/// Calls `f` with the index of each matrix of a batch and its `size` elements of `y`, which take `work` multiplications each.
///
/// The matrices are computed in parallel, unless they are so few and large that each is better divided itself.
pub(crate) fn for_each_matrix<T: Send>(y: &mut [T], size: usize, work: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let (size, threads) = (size.max(1), num_threads());
    let count = y.len() / size;
    let divided = count < 2 * threads && work >= 2 * MIN_FMAS_PER_THREAD;
    let parts = if divided { 1 } else { threads.min(count.saturating_mul(work) / MIN_FMAS_PER_THREAD).max(1) };
    let matrices = count.div_ceil(parts).max(1);
    for_each_chunk(y, matrices * size, |part, y| {
        y.chunks_exact_mut(size).enumerate().for_each(|(k, y)| f(part * matrices + k, y));
    });
}

/// The right-hand side of several products, in the order in which the micro-kernel reads it.
pub(crate) struct Packed<'a, T: Float> {
    matrix: Matrix<'a, T>,
    /// `None` on processors whose kernels pack by themselves.
    panels: Option<Block<T>>,
}

impl<'a, T: Float> Packed<'a, T> {
    pub(crate) fn new(matrix: Matrix<'a, T>) -> Self {
        Packed { panels: T::pack(&matrix), matrix }
    }
}

/// [`gemm`] with a packed B, on this thread alone: for many small products, which the callers distribute among threads.
#[inline(never)]
pub(crate) fn gemm_packed<T: Float>(a: Matrix<T>, b: &Packed<T>, accum: Accum<T>, c: &mut [T]) {
    let (m, n) = (a.rows, b.matrix.columns);
    if a.columns == 0 {
        return without_terms(m, n, accum, c);
    }
    let mut product = Product::new(a, b.matrix, accum, c);
    product.panels = b.panels.as_ref().map(Block::elements);
    // SAFETY: the block is all of C, which the product borrows exclusively.
    unsafe { T::gemm(&product, 0..m, 0..n) };
}

/// [`gemm`] on this thread alone, into rows of C that are `step` apart.
#[inline(never)]
pub(crate) fn gemm_serial<T: Float>(a: Matrix<T>, b: Matrix<T>, accum: Accum<T>, c: &mut [T], step: usize) {
    let (m, n) = (a.rows, b.columns);
    let product = Product::with_step(a, b, accum, c, step);
    // SAFETY: the product borrows C exclusively, and its rows and columns fit into that slice.
    unsafe { T::gemm(&product, 0..m, 0..n) };
}

/// [`gemm`] of matrices `[m, 0]` and `[0, n]`.
fn without_terms<T: Float>(m: usize, n: usize, accum: Accum<T>, c: &mut [T]) {
    assert_eq!(m.checked_mul(n), Some(c.len()));
    match accum {
        Accum::Replace => c.fill(T::ZERO),
        Accum::Add => {}
        Accum::Bias(row) => c.chunks_exact_mut(n.max(1)).for_each(|c| c.copy_from_slice(row)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_without_terms_is_zero_or_what_it_is_added_to() {
        for transposed in [false, true] {
            let (a, b) = (Matrix::new(&[], 2, 0, transposed), Matrix::new(&[], 0, 3, transposed));
            let mut c = [1.0; 6];
            gemm(a, b, Accum::Add, &mut c);
            assert_eq!(c, [1.0; 6]);
            gemm(a, b, Accum::Bias(&[1.0, 2.0, 3.0]), &mut c);
            assert_eq!(c, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
            gemm(a, b, Accum::Replace, &mut c);
            assert_eq!(c, [0.0; 6]);
        }
    }

    #[test]
    #[should_panic = "assertion"]
    fn sizes_whose_product_wraps_around_to_that_of_the_result_are_refused() {
        let size = 1 << (usize::BITS / 2);
        gemm(Matrix::<f32>::new(&[], size, 0, false), Matrix::new(&[], 0, size, false), Accum::Replace, &mut []);
    }

    #[test]
    fn tiles_and_threads_change_no_bit() {
        let (m, k, n) = (200, 700, 130);
        let numbers = |count: usize| (0..count).map(|k| (k as f32 * 0.7).sin()).collect::<Vec<f32>>();
        let (a, b) = (numbers(m * k), numbers(k * n));
        let (a, b) = (Matrix::new(&a, m, k, false), Matrix::new(&b, k, n, true));
        let product = |threads| {
            crate::kernel::set_num_threads(threads);
            let mut c = vec![0.0; m * n];
            gemm(a, b, Accum::Replace, &mut c);
            c.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        };
        let one = product(1);
        assert!([2, 3, 8].into_iter().all(|threads| product(threads) == one));
        let row = Matrix { data: &a.data[..k], rows: 1, ..a };
        let mut c = vec![0.0; n];
        gemm(row, b, Accum::Replace, &mut c);
        assert!(c.iter().zip(&one).all(|(c, &one)| c.to_bits() == one));
    }
}
