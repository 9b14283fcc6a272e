//! Matrix products.
//!
//! On x86-64 with fused multiply-add they are [tiles](crate::kernel::matmul::tiles) of the crate's own, elsewhere the kernels of
//! `matrixmultiply`, which has them for NEON too. How the work is shared out among threads changes no bit of a product.

use crate::kernel::Float;
use crate::kernel::base::threads::{for_each_index, num_threads};
use std::ops::Range;

/// A matrix in a slice: rows, columns, and the step between rows and between columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) strides: (usize, usize),
}

impl<'a, T> Matrix<'a, T> {
    /// `data` as a row-major matrix, or the transpose of that: `rows` and `columns` are those of the result.
    pub(crate) fn new(data: &'a [T], rows: usize, columns: usize, transposed: bool) -> Self {
        assert_eq!(data.len(), rows * columns);
        let strides = if transposed { (1, rows) } else { (columns, 1) };
        Matrix { data, rows, columns, strides }
    }
}

/// Multiplications that are worth a thread of their own: a few microseconds.
const WORTH_A_THREAD: usize = 1 << 18;
/// The parts of a product that threads share begin at multiples of the sides of a tile.
const TILE: [usize; 2] = [8, 32];

/// What a product is added to.
#[derive(Clone, Copy)]
pub enum Onto<'a, T> {
    /// Nothing: what C holds is overwritten.
    Zeros,
    /// What C holds.
    Own,
    /// The same row for all rows of C: a bias.
    Row(&'a [T]),
}

/// `C ← A B + …`, with C row-major.
///
/// Large products are cut by rows or by columns of C, whichever are more, and shared out among threads.
pub(crate) fn gemm<T: Float>(a: Matrix<T>, b: Matrix<T>, onto: Onto<T>, c: &mut [T]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows);
    assert_eq!(c.len(), m * n);
    if let Onto::Row(row) = onto {
        assert_eq!(row.len(), n);
    }
    let product = Product { a, b, onto, c: c.as_mut_ptr() };
    let parts = num_threads().min(m * k * n / WORTH_A_THREAD).max(1);
    let (by_rows, side, grain) = if m > n { (true, m, TILE[0]) } else { (false, n, TILE[1]) };
    let size = side.div_ceil(parts).max(1).next_multiple_of(grain);
    for_each_index(side.div_ceil(size), |index| {
        let part = index * size..side.min((index + 1) * size);
        let (rows, columns) = if by_rows { (part, 0..n) } else { (0..m, part) };
        // SAFETY: the parts lie inside of C, as asserted above, and no two have an element in common.
        unsafe { T::gemm(&product, rows, columns) };
    });
}

/// A product that is to be carried out in parts.
pub struct Product<'a, T> {
    pub(crate) a: Matrix<'a, T>,
    pub(crate) b: Matrix<'a, T>,
    pub(crate) onto: Onto<'a, T>,
    pub(crate) c: *mut T,
}

// SAFETY: what is written through the address, and that only one does so, the functions that do leave to their callers.
unsafe impl<T: Sync> Sync for Product<'_, T> {}

/// The implementation of [`Float::gemm`]: the tiles are as large as the registers allow.
macro_rules! levels {
    ($t:ident, $module:ident, $avx512:ident, $avx2:ident, $elsewhere:ident) => {
        pub(crate) mod $module {
            use super::*;

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            pub(crate) unsafe fn avx512(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                unsafe { product.carry_out::<std::arch::x86_64::$avx512, 8, 2>(rows, columns) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            pub(crate) unsafe fn avx2(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                unsafe { product.carry_out::<std::arch::x86_64::$avx2, 4, 3>(rows, columns) }
            }

            pub(crate) unsafe fn elsewhere(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                let Product { a, b, onto, c } = *product;
                let [a_row, a_column, b_row, b_column, step] =
                    [a.strides.0, a.strides.1, b.strides.0, b.strides.1, b.columns].map(|stride| stride as isize);
                // SAFETY: A and B cover their slices exactly, as asserted in `Matrix::new`, and the caller answers for C.
                unsafe {
                    if let Onto::Row(values) = onto {
                        let values = &values[columns.clone()];
                        for row in rows.clone() {
                            let row = c.add(row * b.columns + columns.start);
                            row.copy_from_nonoverlapping(values.as_ptr(), values.len());
                        }
                    }
                    matrixmultiply::$elsewhere(
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
                        if matches!(onto, Onto::Zeros) { 0.0 } else { 1.0 },
                        c.add(rows.start * b.columns + columns.start),
                        step,
                        1,
                    );
                }
            }

            /// Computes some rows and columns of C with the best instructions that there are.
            ///
            /// # Safety
            /// The rows and columns must be inside of C, and nobody else may read or write its elements there at the same time.
            pub(crate) unsafe fn part(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                // SAFETY: the instructions were looked for, and the caller answers for C.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    match crate::kernel::base::simd::level() {
                        crate::kernel::base::simd::Level::Avx512 => return avx512(product, rows, columns),
                        crate::kernel::base::simd::Level::Avx2 => return avx2(product, rows, columns),
                        crate::kernel::base::simd::Level::Base => {}
                    }
                    elsewhere(product, rows, columns);
                }
            }
        }
    };
}
levels!(f32, single, __m512, __m256, sgemm);
levels!(f64, double, __m512d, __m256d, dgemm);

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers below 8, so that every sum of up to 2¹⁸ products is exact in every order and precision.
    fn numbers<T: Float>(count: usize, step: usize) -> Vec<T> {
        (0..count).map(|k| T::from_f64((k * step % 15) as f64 - 7.0)).collect()
    }

    type Part<T> = unsafe fn(&Product<T>, Range<usize>, Range<usize>);

    /// Checks a product against the definition, and that nothing beside the part is touched.
    fn check<T: Float>(part: Part<T>, [m, k, n]: [usize; 3], [transpose_a, transpose_b]: [bool; 2], onto: &str) {
        let (a, b, before) = (numbers::<T>(m * k, 7), numbers::<T>(k * n, 11), numbers::<T>(m * n, 4));
        let bias = numbers::<T>(n, 5);
        let (a, b) = (Matrix::new(&a, m, k, transpose_a), Matrix::new(&b, k, n, transpose_b));
        let mut c = before.clone();
        let (rows, columns) = (m / 3..m, 0..n - n / 4);
        let onto = match onto {
            "zeros" => Onto::Zeros,
            "own" => Onto::Own,
            _ => Onto::Row(&bias),
        };
        let product = Product { a, b, onto, c: c.as_mut_ptr() };
        // SAFETY: the product has the sizes of `c`; the caller knows that the processor has the instructions.
        unsafe { part(&product, rows.clone(), columns.clone()) };
        let at = |x: &Matrix<T>, i: usize, j: usize| x.data[i * x.strides.0 + j * x.strides.1].to_f64();
        for (index, &c) in c.iter().enumerate() {
            let (i, j) = (index / n, index % n);
            let before = before[index].to_f64();
            let start = match onto {
                Onto::Zeros => 0.0,
                Onto::Own => before,
                Onto::Row(row) => row[j].to_f64(),
            };
            let sum = start + (0..k).map(|l| at(&a, i, l) * at(&b, l, j)).sum::<f64>();
            let expected = if rows.contains(&i) && columns.contains(&j) { sum } else { before };
            assert_eq!(c.to_f64(), expected, "element [{i}, {j}] of {m} × {k} × {n}, {transpose_a} {transpose_b}");
        }
    }

    fn check_all<T: Float>(part: Part<T>) {
        let shapes = [[1, 0, 3], [1, 1, 1], [1, 32, 32], [7, 300, 49], [33, 17, 100], [15, 600, 10], [530, 70, 70]];
        for shape in shapes {
            for transposed in [[false, false], [true, false], [false, true], [true, true]] {
                for onto in ["zeros", "own", "row"] {
                    check(part, shape, transposed, onto);
                }
            }
        }
        check(part, [9, 1100, 40], [false, false], "row");
    }

    #[test]
    fn every_level_computes_the_product() {
        check_all::<f32>(single::elsewhere);
        check_all::<f64>(double::elsewhere);
        #[cfg(target_arch = "x86_64")]
        {
            use crate::kernel::base::simd::{Level, level};
            if level() != Level::Base {
                check_all::<f32>(|product, rows, columns| unsafe { single::avx2(product, rows, columns) });
                check_all::<f64>(|product, rows, columns| unsafe { double::avx2(product, rows, columns) });
            }
            if level() == Level::Avx512 {
                check_all::<f32>(|product, rows, columns| unsafe { single::avx512(product, rows, columns) });
                check_all::<f64>(|product, rows, columns| unsafe { double::avx512(product, rows, columns) });
            }
        }
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
            gemm(a, b, Onto::Zeros, &mut c);
            c.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        };
        let one = product(1);
        assert!([2, 3, 8].into_iter().all(|threads| product(threads) == one));
        let row = Matrix { data: &a.data[..k], rows: 1, ..a };
        let mut c = vec![0.0; n];
        gemm(row, b, Onto::Zeros, &mut c);
        assert!(c.iter().zip(&one).all(|(c, &one)| c.to_bits() == one));
    }
}
