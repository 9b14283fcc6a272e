//! Blocks of matrix products, and transposes, with the best instructions of the processor.
//!
//! On x86-64 with fused multiply-add they use this crate's [micro-kernel](crate::kernel::matmul::micro_kernel), elsewhere those of
//! `matrixmultiply`, which has one for NEON too.

use crate::kernel::base::memory::Block;
use crate::kernel::matmul::product::{Accum, Matrix, Product, fits};
use std::ops::Range;

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
            use crate::kernel::matmul::copies;
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
                // `matrixmultiply` knows strides alone.
                let copies = [a, b].map(|matrix| matrix.starts.map(|_| matrix.to_vec()));
                let [a, b] = std::array::from_fn(|k| {
                    let matrix = [a, b][k];
                    copies[k].as_ref().map_or(matrix, |copy| Matrix::new(copy, matrix.rows, matrix.columns, false))
                });
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
                    copies::transpose::<$avx512, false>(rows, columns, x.as_ptr(), x_step, y.as_mut_ptr(), y_step)
                }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn transpose_avx2(rows: usize, columns: usize, x: &[$t], x_step: usize, y: &mut [$t], y_step: usize) {
                // SAFETY: as above.
                unsafe { copies::transpose::<$avx2, false>(rows, columns, x.as_ptr(), x_step, y.as_mut_ptr(), y_step) }
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
    use crate::kernel::Float;
    use crate::kernel::base::memory::Block as Memory;
    use crate::kernel::matmul::gemm::gemm;

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
            let mut product = Product::new(a, b, Accum::Add, &mut c);
            product.panels = Some(panels.elements());
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
}
