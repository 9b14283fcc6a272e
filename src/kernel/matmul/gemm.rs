//! General matrix products.
//!
//! On x86-64 with fused multiply-add they use this crate's [micro-kernel](crate::kernel::matmul::micro_kernel), elsewhere those of
//! `matrixmultiply`, which has one for NEON too. The partition among threads does not change a bit of the result.

use crate::kernel::Float;
use crate::kernel::base::memory::Block;
use crate::kernel::base::threads::{for_each_index, num_threads};
use std::marker::PhantomData;
use std::ops::Range;

/// Minimum multiply-adds per thread: a few microseconds of work.
pub(crate) const MIN_FMAS_PER_THREAD: usize = 1 << 18;
/// The blocks of C that threads share begin at multiples of the rows and of the columns of a tile.
const TILE: [usize; 2] = [8, 32];

/// A matrix within a slice: the element `[i, j]` is at `i strides.0 + j strides.1`, and one of the strides is 1.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    pub(super) data: &'a [T],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) strides: (usize, usize),
}

impl<'a, T> Matrix<'a, T> {
    /// `data` as a row-major matrix, or as the transpose of one; `rows` and `columns` are those of the result.
    pub(crate) fn new(data: &'a [T], rows: usize, columns: usize, transposed: bool) -> Self {
        // A product that wrapped around could match the length, and the kernels would access memory beyond the slice.
        assert_eq!(rows.checked_mul(columns), Some(data.len()));
        let strides = if transposed { (1, rows) } else { (columns, 1) };
        Matrix { data, rows, columns, strides }
    }

    /// `rows × columns` elements at the beginning of `data`, whose rows are `step` apart.
    pub(crate) fn strided(data: &'a [T], rows: usize, columns: usize, step: usize) -> Self {
        assert!(fits(data.len(), rows, columns, step));
        Matrix { data, rows, columns, strides: (step, 1) }
    }

    /// The transpose.
    pub(crate) fn transposed(self) -> Self {
        Matrix { data: self.data, rows: self.columns, columns: self.rows, strides: (self.strides.1, self.strides.0) }
    }

    /// The number of elements.
    pub(super) fn len(&self) -> usize {
        self.rows * self.columns
    }
}

/// Whether rows that are `step` apart, and do not overlap, are within a slice of the given length.
fn fits(length: usize, rows: usize, columns: usize, step: usize) -> bool {
    let end = |rows: usize| (rows - 1).checked_mul(step)?.checked_add(columns);
    columns <= step && (rows == 0 || end(rows).is_some_and(|end| end <= length))
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub enum Accum<'a, T> {
    /// Nothing: C is overwritten.
    Replace,
    /// C itself.
    Add,
    /// The same row for every row of C.
    Bias(&'a [T]),
}

/// `C ← A B + …`, with C row-major.
///
/// Large products are split by rows or by columns of C, whichever are more, and run in parallel.
#[inline(never)]
pub(crate) fn gemm<T: Float>(a: Matrix<T>, b: Matrix<T>, accum: Accum<T>, c: &mut [T]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    if k == 0 {
        return without_terms(m, n, accum, c);
    }
    let product = Product::new(a, b, accum, c);
    let parts = num_threads().min(m * k * n / MIN_FMAS_PER_THREAD).max(1);
    let (by_rows, side, multiple) = if m > n { (true, m, TILE[0]) } else { (false, n, TILE[1]) };
    let size = side.div_ceil(parts).max(1).next_multiple_of(multiple);
    for_each_index(side.div_ceil(size), |index| {
        let part = index * size..side.min((index + 1) * size);
        let (rows, columns) = if by_rows { (part, 0..n) } else { (0..m, part) };
        // SAFETY: the ranges are within the m rows and n columns of C. Blocks of different indices are disjoint, and the
        // product borrows C exclusively.
        unsafe { T::gemm(&product, rows, columns) };
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
    let panels = b.panels.as_ref().map(Block::elements);
    let product = Product { panels, ..Product::new(a, b.matrix, accum, c) };
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

/// A product that is computed in blocks of C: A is `[m, k]`, B `[k, n]` and C a row-major `[m, n]`, with k > 0.
pub struct Product<'a, T> {
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    /// B as [`Matrix::pack`] writes it; then blocks of C begin at column 0.
    pub(super) panels: Option<&'a [T]>,
    pub(super) accum: Accum<'a, T>,
    pub(super) c: *mut T,
    /// The step between rows of C.
    pub(super) c_row: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: A, B and the bias are only read, which `T: Sync` allows on several threads. C is written through `Float::gemm` alone,
// whose callers keep the blocks of different threads disjoint; `T: Send` allows to write there.
unsafe impl<T: Send + Sync> Sync for Product<'_, T> {}

impl<'a, T> Product<'a, T> {
    fn new(a: Matrix<'a, T>, b: Matrix<'a, T>, accum: Accum<'a, T>, c: &'a mut [T]) -> Self {
        assert_eq!(a.rows.checked_mul(b.columns), Some(c.len()));
        let c_row = b.columns;
        Product::with_step(a, b, accum, c, c_row)
    }

    /// A product whose rows of C are `c_row` apart.
    fn with_step(a: Matrix<'a, T>, b: Matrix<'a, T>, accum: Accum<'a, T>, c: &'a mut [T], c_row: usize) -> Self {
        assert!(a.columns > 0);
        assert_eq!(a.columns, b.rows);
        assert!(fits(c.len(), a.rows, b.columns, c_row));
        if let Accum::Bias(row) = accum {
            assert_eq!(row.len(), b.columns);
        }
        Product { a, b, panels: None, accum, c: c.as_mut_ptr(), c_row, borrow: PhantomData }
    }
}

/// Implements [`Float::gemm`] for an element type: the tiles, of MR rows and NR vectors, are as large as the registers allow. With AVX2
/// one of the sixteen is left to the compiler: a sum on the stack would halve the speed.
///
/// The functions have its contract: rows and columns within C, and no access to that block by other threads. Those with a
/// target feature require it of the processor in addition.
macro_rules! levels {
    (
        mod $module:ident;
        element: $t:ty,
        avx512: [$avx512:ident, mr: $avx512_mr:literal, nr: $avx512_nr:literal],
        avx2: [$avx2:ident, mr: $avx2_mr:literal, nr: $avx2_nr:literal],
        fallback: $fallback:ident,
    ) => {
        pub(crate) mod $module {
            use super::*;
            #[cfg(target_arch = "x86_64")]
            use crate::kernel::base::simd::{Level, level};
            #[cfg(target_arch = "x86_64")]
            use crate::kernel::matmul::micro_kernel;
            #[cfg(target_arch = "x86_64")]
            use crate::kernel::matmul::vector::{$avx2, $avx512};

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            pub(super) unsafe fn avx512(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                // SAFETY: this function enables the instructions; the caller guarantees the rest.
                unsafe { product.run::<$avx512, $avx512_mr, $avx512_nr>(rows, columns) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn avx2(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                // SAFETY: this function enables the instructions; the caller guarantees the rest.
                unsafe { product.run::<$avx2, $avx2_mr, $avx2_nr>(rows, columns) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            pub(super) fn pack_avx512(b: &Matrix<$t>) -> Block<$t> {
                // SAFETY: this function enables the instructions.
                unsafe { b.pack::<$avx512, $avx512_nr>() }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            pub(super) fn pack_avx2(b: &Matrix<$t>) -> Block<$t> {
                // SAFETY: this function enables the instructions.
                unsafe { b.pack::<$avx2, $avx2_nr>() }
            }

            /// Packs B for [`block`], if that reads packed matrices.
            pub(crate) fn pack(b: &Matrix<$t>) -> Option<Block<$t>> {
                #[cfg(target_arch = "x86_64")]
                match level() {
                    // SAFETY: the level names features that the processor has.
                    Level::Avx512 => return Some(unsafe { pack_avx512(b) }),
                    // SAFETY: as above.
                    Level::Avx2 => return Some(unsafe { pack_avx2(b) }),
                    Level::Base => {}
                }
                _ = b;
                None
            }

            pub(super) unsafe fn fallback(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                let Product { a, b, accum, c, c_row, .. } = *product;
                let [a_row, a_column, b_row, b_column] =
                    [a.strides.0, a.strides.1, b.strides.0, b.strides.1].map(|stride| stride as isize);
                if let Accum::Bias(values) = accum {
                    let values = &values[columns.clone()];
                    for row in rows.clone() {
                        // SAFETY: the caller guarantees that row and columns are within C and that nobody else accesses
                        // them. C is borrowed exclusively, so it does not overlap the bias.
                        unsafe {
                            let row = c.add(row * c_row + columns.start);
                            row.copy_from_nonoverlapping(values.as_ptr(), values.len());
                        }
                    }
                }
                // SAFETY: A and B are within their slices, so their parts in these rows and columns are readable at
                // these strides; the caller guarantees that the block of C is writable.
                unsafe {
                    matrixmultiply::$fallback(
                        rows.len(),
                        a.columns,
                        columns.len(),
                        1.0,
                        a.data.as_ptr().add(rows.start * a.strides.0),
                        a_row,
                        a_column,
                        b.data.as_ptr().add(columns.start * b.strides.1),
                        b_row,
                        b_column,
                        if matches!(accum, Accum::Replace) { 0.0 } else { 1.0 },
                        c.add(rows.start * c_row + columns.start),
                        c_row as isize,
                        1,
                    );
                }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn transpose_avx512(rows: usize, columns: usize, x: &[$t], x_step: usize, y: &mut [$t], y_step: usize) {
                // SAFETY: this function enables the instructions, and `transpose` has checked that both matrices fit.
                unsafe {
                    micro_kernel::transpose::<$avx512, false>(rows, columns, x.as_ptr(), x_step, y.as_mut_ptr(), y_step)
                }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn transpose_avx2(rows: usize, columns: usize, x: &[$t], x_step: usize, y: &mut [$t], y_step: usize) {
                // SAFETY: as above.
                unsafe {
                    micro_kernel::transpose::<$avx2, false>(rows, columns, x.as_ptr(), x_step, y.as_mut_ptr(), y_step)
                }
            }

            /// Writes the transpose of the matrix `[rows, columns]` at the beginning of `x`, whose rows are `x_step` apart, to
            /// `y`, where they are `y_step` apart.
            pub(crate) fn transpose(rows: usize, columns: usize, x: &[$t], x_step: usize, y: &mut [$t], y_step: usize) {
                assert!(fits(x.len(), rows, columns, x_step) && fits(y.len(), columns, rows, y_step));
                #[cfg(target_arch = "x86_64")]
                match level() {
                    // SAFETY: the level names features that the processor has.
                    Level::Avx512 => return unsafe { transpose_avx512(rows, columns, x, x_step, y, y_step) },
                    // SAFETY: as above.
                    Level::Avx2 => return unsafe { transpose_avx2(rows, columns, x, x_step, y, y_step) },
                    Level::Base => {}
                }
                for row in 0..rows {
                    (0..columns).for_each(|column| y[column * y_step + row] = x[row * x_step + column]);
                }
            }

            /// Computes the block of C in the given rows and columns with the best instructions of this processor.
            ///
            /// # Safety
            /// The rows and columns must be within C, and no other thread may access that block of C during the call.
            pub(crate) unsafe fn block(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                // SAFETY: the level names features that the processor has; the caller guarantees the rest.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    match level() {
                        Level::Avx512 => return avx512(product, rows, columns),
                        Level::Avx2 => return avx2(product, rows, columns),
                        Level::Base => {}
                    }
                    fallback(product, rows, columns);
                }
            }
        }
    };
}
levels! {
    mod single;
    element: f32,
    avx512: [F32x16, mr: 8, nr: 2],
    avx2: [F32x8, mr: 6, nr: 2],
    fallback: sgemm,
}
levels! {
    mod double;
    element: f64,
    avx512: [F64x8, mr: 8, nr: 2],
    avx2: [F64x4, mr: 6, nr: 2],
    fallback: dgemm,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::base::memory::Block as Memory;

    /// Integers below 8 in magnitude, so that every sum of up to 2¹⁸ products is exact in any order and precision.
    fn numbers<T: Float>(count: usize, step: usize) -> Vec<T> {
        (0..count).map(|k| T::from_f64((k * step % 15) as f64 - 7.0)).collect()
    }

    type Block<T> = unsafe fn(&Product<T>, Range<usize>, Range<usize>);

    /// Checks a product against the definition, and that nothing outside the block is written.
    fn check<T: Float>(block: Block<T>, [m, k, n]: [usize; 3], [transpose_a, transpose_b]: [bool; 2], accum: &str) {
        let (a, b, before) = (numbers::<T>(m * k, 7), numbers::<T>(k * n, 11), numbers::<T>(m * n, 4));
        let bias = numbers::<T>(n, 5);
        let (a, b) = (Matrix::new(&a, m, k, transpose_a), Matrix::new(&b, k, n, transpose_b));
        let mut c = before.clone();
        let (rows, columns) = (m / 3..m, 0..n - n / 4);
        let accum = match accum {
            "replace" => Accum::Replace,
            "add" => Accum::Add,
            _ => Accum::Bias(&bias),
        };
        // SAFETY: the ranges are within the m rows and n columns, and no other thread knows C. The callers pass functions
        // whose instructions the processor has.
        unsafe { block(&Product::new(a, b, accum, &mut c), rows.clone(), columns.clone()) };
        let at = |x: &Matrix<T>, i: usize, j: usize| x.data[i * x.strides.0 + j * x.strides.1].to_f64();
        for (index, &c) in c.iter().enumerate() {
            let (i, j) = (index / n, index % n);
            let before = before[index].to_f64();
            let start = match accum {
                Accum::Replace => 0.0,
                Accum::Add => before,
                Accum::Bias(row) => row[j].to_f64(),
            };
            let sum = start + (0..k).map(|l| at(&a, i, l) * at(&b, l, j)).sum::<f64>();
            let expected = if rows.contains(&i) && columns.contains(&j) { sum } else { before };
            assert_eq!(c.to_f64(), expected, "element [{i}, {j}] of {m} × {k} × {n}, {transpose_a} {transpose_b}");
        }
    }

    fn check_all<T: Float>(block: Block<T>) {
        let shapes = [[1, 1, 1], [1, 32, 32], [7, 300, 49], [33, 17, 100], [15, 600, 10], [530, 70, 70]];
        for shape in shapes {
            for transposed in [[false, false], [true, false], [false, true], [true, true]] {
                for accum in ["replace", "add", "bias"] {
                    check(block, shape, transposed, accum);
                }
            }
        }
        check(block, [9, 1100, 40], [false, false], "bias");
    }

    #[test]
    fn every_level_computes_the_product() {
        check_all::<f32>(single::fallback);
        check_all::<f64>(double::fallback);
        #[cfg(target_arch = "x86_64")]
        {
            use crate::kernel::base::simd::{Level, level};
            if level() != Level::Base {
                // SAFETY: the processor has AVX2; `check` guarantees the rest.
                check_all::<f32>(|product, rows, columns| unsafe { single::avx2(product, rows, columns) });
                // SAFETY: as above.
                check_all::<f64>(|product, rows, columns| unsafe { double::avx2(product, rows, columns) });
                // SAFETY: as above.
                check_packed(single::avx2, |b| unsafe { single::pack_avx2(b) });
                // SAFETY: as above.
                check_packed(double::avx2, |b| unsafe { double::pack_avx2(b) });
            }
            if level() == Level::Avx512 {
                // SAFETY: the processor has AVX-512; `check` guarantees the rest.
                check_all::<f32>(|product, rows, columns| unsafe { single::avx512(product, rows, columns) });
                // SAFETY: as above.
                check_all::<f64>(|product, rows, columns| unsafe { double::avx512(product, rows, columns) });
                // SAFETY: as above.
                check_packed(single::avx512, |b| unsafe { single::pack_avx512(b) });
                // SAFETY: as above.
                check_packed(double::avx512, |b| unsafe { double::pack_avx512(b) });
            }
        }
    }

    /// Checks products with a B packed for them, whose panels are complete or not in either direction.
    fn check_packed<T: Float>(block: Block<T>, pack: impl Fn(&Matrix<T>) -> Memory<T>) {
        for ([m, k, n], transposed) in
            [([9, 300, 100], false), ([5, 513, 49], true), ([1, 7, 3], true), ([3, 1, 96], false)]
        {
            let (a, b) = (numbers::<T>(m * k, 7), numbers::<T>(k * n, 11));
            let (a, b) = (Matrix::new(&a, m, k, false), Matrix::new(&b, k, n, transposed));
            let (panels, mut c, mut expected) = (pack(&b), numbers::<T>(m * n, 4), numbers::<T>(m * n, 4));
            let product = Product { panels: Some(panels.elements()), ..Product::new(a, b, Accum::Add, &mut c) };
            // SAFETY: the block is all of C, which no other thread knows. The callers pass functions whose instructions the
            // processor has.
            unsafe { block(&product, 0..m, 0..n) };
            gemm(a, b, Accum::Add, &mut expected);
            assert_eq!(c, expected, "{m} × {k} × {n}, {transposed}");
        }
    }

    #[test]
    fn a_transpose_moves_every_element_and_no_other() {
        fn check<T: Float>(rows: usize, columns: usize) {
            let (x_step, y_step) = (columns + 3, rows + 2);
            let (x, before) = (numbers::<T>(rows * x_step, 7), numbers::<T>(columns * y_step, 4));
            let mut y = before.clone();
            T::transpose(rows, columns, &x, x_step, &mut y, y_step);
            for (k, y) in y.into_iter().enumerate() {
                let (column, row) = (k / y_step, k % y_step);
                assert_eq!(y, if row < rows { x[row * x_step + column] } else { before[k] }, "{rows} × {columns}");
            }
        }
        for [rows, columns] in [[0, 5], [1, 1], [3, 20], [16, 9], [33, 40]] {
            check::<f32>(rows, columns);
            check::<f64>(rows, columns);
        }
    }

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
