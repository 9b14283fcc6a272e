//! Matrix products, blocked for the caches and for the registers.
//!
//! C is computed in tiles that stay in vector registers while k runs: a few rows of one to three vectors. What a tile needs of
//! B, a panel of some hundred rows and as many columns as the tile, is brought into one piece first and serves all the tiles
//! below one another; what it needs of A is read where it is, unless it lies far apart.
//!
//! Every element of C is the sum of its products in the order of k, added up in blocks of [`DEPTH`]; neither the shape of the
//! tile that it is in, nor how the work is shared out among threads, nor the vector instructions change a bit of it (without
//! fused multiply-add the sums round twice as often).

use super::Float;
use super::memory::Block;
use super::threads::{for_each_index, num_threads};
use super::vector::{Portable, Vector};
use std::mem::MaybeUninit;
use std::ops::Range;

/// A matrix in a slice: rows, columns, and the step between rows and between columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    strides: (usize, usize),
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
/// The parts of a product that threads share begin at multiples of this, the longest side of a tile.
const GRAIN: usize = 32;
/// Terms of a sum that are added up in registers.
const DEPTH: usize = 256;
/// Rows of A that are brought into one piece together: with [`DEPTH`] columns, half of a second-level cache.
const BLOCK_ROWS: usize = 512;
/// Elements between neighbours that are far from each other.
const FAR: usize = 1024;
/// Elements of a matrix that stay in the first-level cache and so need not be brought into one piece.
const SMALL: usize = 4096;

/// `C ← A B + β C`, with C row-major. With β = 0 nothing is read from `c`.
///
/// Large products are cut by rows or by columns of C, whichever are more, and shared out among threads.
pub(crate) fn gemm<T: Float>(a: Matrix<T>, b: Matrix<T>, beta: T, c: &mut [T]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows);
    assert_eq!(c.len(), m * n);
    let product = Product { a, b, beta, c: c.as_mut_ptr() };
    let parts = num_threads().min(m * k * n / WORTH_A_THREAD).max(1);
    let (by_rows, side) = (m > n, m.max(n));
    let size = side.div_ceil(parts).max(1).next_multiple_of(GRAIN);
    for_each_index(side.div_ceil(size), |index| {
        let part = index * size..side.min((index + 1) * size);
        let (rows, columns) = if by_rows { (part, 0..n) } else { (0..m, part) };
        // SAFETY: the parts lie inside of C, as asserted above, and no two have an element in common.
        unsafe { T::gemm(&product, rows, columns) };
    });
}

/// A product that is to be carried out in parts.
pub struct Product<'a, T> {
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    beta: T,
    c: *mut T,
}

// SAFETY: what is written through the address, and that only one does so, the functions that do leave to their callers.
unsafe impl<T: Sync> Sync for Product<'_, T> {}

/// The implementation of [`Float::gemm`]: the tiles are as large as the registers allow.
macro_rules! levels {
    ($t:ident, $module:ident, $avx512:ident, $avx2:ident) => {
        pub(super) mod $module {
            use super::*;

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            pub(super) unsafe fn avx512(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                unsafe { product.carry_out::<std::arch::x86_64::$avx512, 8, 2>(rows, columns) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn avx2(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                unsafe { product.carry_out::<std::arch::x86_64::$avx2, 4, 3>(rows, columns) }
            }

            pub(super) unsafe fn portable(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                unsafe { product.carry_out::<Portable<$t>, 4, 2>(rows, columns) }
            }

            /// Computes some rows and columns of C with the best instructions that there are.
            ///
            /// # Safety
            /// The rows and columns must be inside of C, and nobody else may read or write its elements there at the same time.
            pub(in super::super) unsafe fn part(product: &Product<$t>, rows: Range<usize>, columns: Range<usize>) {
                // SAFETY: the instructions were looked for, and the caller answers for C.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    match crate::kernel::simd::level() {
                        crate::kernel::simd::Level::Avx512 => return avx512(product, rows, columns),
                        crate::kernel::simd::Level::Avx2 => return avx2(product, rows, columns),
                        crate::kernel::simd::Level::Base => {}
                    }
                    portable(product, rows, columns);
                }
            }
        }
    };
}
levels!(f32, single, __m512, __m256);
levels!(f64, double, __m512d, __m256d);

/// A matrix as a tile reads it: address, and the steps between rows and between columns.
#[derive(Clone, Copy)]
struct Place<T> {
    start: *const T,
    row: usize,
    column: usize,
}

/// Room for a panel of B of [`DEPTH`] rows and up to 32 columns.
#[repr(align(64))]
struct Panel<T>(MaybeUninit<[[T; 32]; DEPTH]>);

impl<T: Float> Product<'_, T> {
    /// Computes some rows and columns of C in tiles of up to `HEIGHT` rows and `WIDTH` vectors.
    ///
    /// # Safety
    /// As [`Vector`] and `part` demand.
    #[inline(always)]
    unsafe fn carry_out<V: Vector<Element = T>, const HEIGHT: usize, const WIDTH: usize>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        let k = self.a.columns;
        let mut panel = Panel::<T>(MaybeUninit::uninit());
        let panel: *mut T = panel.0.as_mut_ptr().cast();
        let mut block = self.a_is_scattered().then(|| Block::<T>::take(DEPTH * BLOCK_ROWS).0);
        for first in (0..k.max(1)).step_by(DEPTH) {
            let terms = first..k.min(first + DEPTH);
            let beta = if first == 0 { self.beta } else { T::ONE };
            for top in rows.clone().step_by(BLOCK_ROWS) {
                let height = rows.end.min(top + BLOCK_ROWS) - top;
                // SAFETY: passed on to the caller; the room for A and B is as large as the blocks of both.
                unsafe {
                    let a = self.block_of_a::<V>(top, height, terms.clone(), block.as_mut());
                    for left in columns.clone().step_by(WIDTH * V::LANES) {
                        let width = columns.end.min(left + WIDTH * V::LANES) - left;
                        let b = self.panel_of_b::<V, HEIGHT>(terms.clone(), left, width, panel);
                        let c = self.c.add(top * self.b.columns + left);
                        let tiles = Tiles { a, b, beta, c, step: self.b.columns, terms: terms.len(), height, width };
                        match width.div_ceil(V::LANES) {
                            3 if WIDTH >= 3 => tiles.fill::<V, HEIGHT, 3>(),
                            2 if WIDTH >= 2 => tiles.fill::<V, HEIGHT, 2>(),
                            _ => tiles.fill::<V, HEIGHT, 1>(),
                        }
                    }
                }
            }
        }
    }

    /// Whether A lies so far apart that it pays to bring it together: rows at a distance of pages compete for the same lines
    /// of the cache.
    fn a_is_scattered(&self) -> bool {
        let (row, column) = self.a.strides;
        self.a.data.len() > SMALL && (column != 1 || row >= FAR)
    }

    /// Some rows and columns of A, where they are or brought together in `block`.
    #[inline(always)]
    unsafe fn block_of_a<V: Vector<Element = T>>(
        &self,
        top: usize,
        height: usize,
        terms: Range<usize>,
        block: Option<&mut Block<T>>,
    ) -> Place<T> {
        let (row, column) = self.a.strides;
        let start = unsafe { self.a.data.as_ptr().add(top * row + terms.start * column) };
        let Some(block) = block else { return Place { start, row, column } };
        let block = block.elements_mut().expect("a block just taken is unshared").as_mut_ptr();
        unsafe {
            match column {
                1 => copy::<V>(height, terms.len(), start, row, block, terms.len()),
                _ => transpose::<V>(terms.len(), height, start, column, block, terms.len()),
            }
        }
        Place { start: block, row: terms.len(), column: 1 }
    }

    /// Some rows and columns of B with neighbours in a row beside each other, where they are or brought together in `panel`.
    #[inline(always)]
    unsafe fn panel_of_b<V: Vector<Element = T>, const HEIGHT: usize>(
        &self,
        terms: Range<usize>,
        left: usize,
        width: usize,
        panel: *mut T,
    ) -> Place<T> {
        let (row, column) = self.b.strides;
        let start = unsafe { self.b.data.as_ptr().add(terms.start * row + left * column) };
        let step = width.next_multiple_of(V::LANES);
        if column == 1 {
            if step == width && (self.a.rows <= HEIGHT || self.b.data.len() <= SMALL) {
                return Place { start, row, column };
            }
            unsafe { copy::<V>(terms.len(), width, start, row, panel, step) };
        } else {
            unsafe { transpose::<V>(width, terms.len(), start, column, panel, step) };
        }
        Place { start: panel, row: step, column: 1 }
    }
}

/// Writes a copy of `[rows, columns]`, both in rows that are `step` apart.
#[inline(always)]
unsafe fn copy<V: Vector>(
    rows: usize,
    columns: usize,
    source: *const V::Element,
    source_step: usize,
    target: *mut V::Element,
    target_step: usize,
) {
    for row in 0..rows {
        for at in (0..columns).step_by(V::LANES) {
            // SAFETY: only elements inside of both matrices are read and written.
            unsafe {
                let x = V::load_up_to(columns - at, source.add(row * source_step + at));
                x.store_up_to(columns - at, target.add(row * target_step + at));
            }
        }
    }
}

/// Writes the transpose of `[rows, columns]`, both in rows that are `step` apart.
#[inline(always)]
unsafe fn transpose<V: Vector>(
    rows: usize,
    columns: usize,
    source: *const V::Element,
    source_step: usize,
    target: *mut V::Element,
    target_step: usize,
) {
    for row in (0..rows).step_by(V::LANES) {
        let height = V::LANES.min(rows - row);
        for column in (0..columns).step_by(V::LANES) {
            let width = V::LANES.min(columns - column);
            // SAFETY: only elements inside of both matrices are read and written.
            unsafe {
                let mut square = [V::splat(V::Element::ZERO); 16];
                for (k, line) in square.iter_mut().enumerate().take(height) {
                    *line = V::load_up_to(width, source.add((row + k) * source_step + column));
                }
                // Each round moves one bit of the number of the line to the number of the lane.
                for _ in 0..V::LANES.ilog2() {
                    let half = V::LANES / 2;
                    let lines = square;
                    for k in 0..half {
                        [square[2 * k], square[2 * k + 1]] = lines[k].zip(lines[k + half]);
                    }
                }
                for (k, line) in square.iter().enumerate().take(width) {
                    line.store_up_to(height, target.add((column + k) * target_step + row));
                }
            }
        }
    }
}

/// Tiles of C below one another.
#[derive(Clone, Copy)]
struct Tiles<T> {
    a: Place<T>,
    b: Place<T>,
    beta: T,
    c: *mut T,
    /// Between rows of C.
    step: usize,
    terms: usize,
    height: usize,
    width: usize,
}

impl<T: Float> Tiles<T> {
    /// Computes them all, each as high as it can be.
    #[inline(always)]
    unsafe fn fill<V: Vector<Element = T>, const HEIGHT: usize, const WIDTH: usize>(&self) {
        let mut top = 0;
        while top < self.height {
            // SAFETY: passed on to the caller; the rows are inside of A and C.
            top += unsafe {
                match self.height - top {
                    8.. if HEIGHT >= 8 => self.tile::<V, 8, WIDTH>(top),
                    4.. => self.tile::<V, 4, WIDTH>(top),
                    2.. => self.tile::<V, 2, WIDTH>(top),
                    _ => self.tile::<V, 1, WIDTH>(top),
                }
            }
        }
    }

    /// Computes one; returns its height.
    #[inline(always)]
    unsafe fn tile<V: Vector<Element = T>, const HEIGHT: usize, const WIDTH: usize>(&self, top: usize) -> usize {
        // SAFETY: passed on to the caller.
        unsafe {
            let mut sums = [[V::splat(T::ZERO); WIDTH]; HEIGHT];
            let mut a = self.a.start.add(top * self.a.row);
            let mut b = self.b.start;
            // C is read and written once for all terms of a block: long enough for it to arrive.
            for row in 0..HEIGHT {
                (0..WIDTH).for_each(|k| V::prefetch(self.c_at::<V>(top + row, k)));
            }
            for _ in 0..self.terms {
                let mut line = [V::splat(T::ZERO); WIDTH];
                for (k, b_k) in line.iter_mut().enumerate() {
                    *b_k = V::load(b.add(k * V::LANES));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = V::splat(*a.add(row * self.a.row));
                    for (sum, &b) in sums.iter_mut().zip(&line) {
                        *sum = a.mul_add(b, *sum);
                    }
                }
                a = a.add(self.a.column);
                b = b.add(self.b.row);
            }
            // All of C is read before any is written: rows at a distance of pages look like one another to the load unit.
            if self.beta != T::ZERO {
                let beta = V::splat(self.beta);
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        *sum =
                            beta.mul_add(V::load_up_to(self.width - k * V::LANES, self.c_at::<V>(top + row, k)), *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (k, sum) in sums.iter().enumerate() {
                    sum.store_up_to(self.width - k * V::LANES, self.c_at::<V>(top + row, k));
                }
            }
        }
        HEIGHT
    }

    /// The address of the vector `k` of a row of C.
    #[inline(always)]
    unsafe fn c_at<V: Vector<Element = T>>(&self, row: usize, k: usize) -> *mut T {
        unsafe { self.c.add(row * self.step + k * V::LANES) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers below 8, so that every sum of up to 2¹⁸ products is exact in every order and precision.
    fn numbers<T: Float>(count: usize, step: usize) -> Vec<T> {
        (0..count).map(|k| T::from_f64((k * step % 15) as f64 - 7.0)).collect()
    }

    type Part<T> = unsafe fn(&Product<T>, Range<usize>, Range<usize>);

    /// Checks a product against the definition, and that nothing beside the part is touched.
    fn check<T: Float>(part: Part<T>, [m, k, n]: [usize; 3], [transpose_a, transpose_b]: [bool; 2], beta: f64) {
        let (a, b, before) = (numbers::<T>(m * k, 7), numbers::<T>(k * n, 11), numbers::<T>(m * n, 4));
        let (a, b) = (Matrix::new(&a, m, k, transpose_a), Matrix::new(&b, k, n, transpose_b));
        let mut c = before.clone();
        let (rows, columns) = (m / 3..m, 0..n - n / 4);
        let product = Product { a, b, beta: T::from_f64(beta), c: c.as_mut_ptr() };
        // SAFETY: the product has the sizes of `c`; the caller knows that the processor has the instructions.
        unsafe { part(&product, rows.clone(), columns.clone()) };
        let at = |x: &Matrix<T>, i: usize, j: usize| x.data[i * x.strides.0 + j * x.strides.1].to_f64();
        for (index, &c) in c.iter().enumerate() {
            let (i, j) = (index / n, index % n);
            let before = before[index].to_f64();
            let sum = beta * before + (0..k).map(|l| at(&a, i, l) * at(&b, l, j)).sum::<f64>();
            let expected = if rows.contains(&i) && columns.contains(&j) { sum } else { before };
            assert_eq!(
                c.to_f64(),
                expected,
                "element [{i}, {j}] of {m} × {k} × {n}, {transpose_a} {transpose_b} {beta}"
            );
        }
    }

    fn check_all<T: Float>(part: Part<T>) {
        let shapes = [[1, 0, 3], [1, 1, 1], [1, 32, 32], [7, 300, 49], [33, 17, 100], [15, 600, 10], [530, 70, 70]];
        for shape in shapes {
            for transposed in [[false, false], [true, false], [false, true], [true, true]] {
                for beta in [0.0, 1.0, 0.5] {
                    check(part, shape, transposed, beta);
                }
            }
        }
        check(part, [9, 1100, 40], [false, false], 0.0);
    }

    #[test]
    fn every_level_computes_the_product() {
        check_all::<f32>(single::portable);
        check_all::<f64>(double::portable);
        #[cfg(target_arch = "x86_64")]
        {
            use crate::kernel::simd::{Level, level};
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
            gemm(a, b, 0.0, &mut c);
            c.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        };
        let one = product(1);
        assert!([2, 3, 8].into_iter().all(|threads| product(threads) == one));
        let row = Matrix { data: &a.data[..k], rows: 1, ..a };
        let mut c = vec![0.0; n];
        gemm(row, b, 0.0, &mut c);
        assert!(c.iter().zip(&one).all(|(c, &one)| c.to_bits() == one));
    }
}
