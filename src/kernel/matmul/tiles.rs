//! Matrix products on vector registers, blocked for the caches.
//!
//! C is computed in tiles that stay in vector registers while k runs: a few rows of one to three vectors. What a tile needs of
//! B, a panel of some hundred rows and as many columns as the tile, is brought into one piece first and serves all the tiles
//! below one another; what it needs of A is read where it is, unless it lies far apart.
//!
//! Every element of C is the sum of its products in the order of k, added up in blocks of [`DEPTH`]; neither the shape of the
//! tile that it is in nor the width of the vectors changes a bit of it.

use crate::kernel::Float;
use crate::kernel::base::memory::Block;
use crate::kernel::matmul::gemm::{Onto, Product};
use crate::kernel::matmul::vector::Vector;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Terms of a sum that are added up in registers.
const DEPTH: usize = 256;
/// Rows of A that are brought into one piece together: with [`DEPTH`] columns, half of a second-level cache.
const BLOCK_ROWS: usize = 512;
/// Elements between neighbours that are far from each other.
const FAR: usize = 1024;
/// Terms of a sum that give C the time to arrive from where it was left.
const LONG: usize = 64;
/// Elements of a matrix that does not stay in the second-level cache.
const LARGE: usize = 1 << 19;
/// Elements of a matrix that stay in the first-level cache and so need not be brought into one piece.
const SMALL: usize = 4096;

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
    /// The processor must have the instructions of the vectors, the rows and columns must be inside of C, and nobody else may
    /// read or write its elements there at the same time.
    #[inline(always)]
    pub(crate) unsafe fn carry_out<V: Vector<Element = T>, const HEIGHT: usize, const WIDTH: usize>(
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
            let onto = if first == 0 { self.onto } else { Onto::Own };
            for top in rows.clone().step_by(BLOCK_ROWS) {
                let height = rows.end.min(top + BLOCK_ROWS) - top;
                // SAFETY: passed on to the caller; the room for A and B is as large as the blocks of both.
                unsafe {
                    let a = self.block_of_a::<V>(top, height, terms.clone(), block.as_mut());
                    for left in columns.clone().step_by(WIDTH * V::LANES) {
                        let width = columns.end.min(left + WIDTH * V::LANES) - left;
                        let b = self.panel_of_b::<V, HEIGHT>(terms.clone(), left, width, panel);
                        let c = self.c.add(top * self.b.columns + left);
                        let onto = match onto {
                            Onto::Zeros => None,
                            Onto::Own => Some((c.cast_const(), self.b.columns)),
                            Onto::Row(row) => Some((row.as_ptr().add(left), 0)),
                        };
                        let next = self.next_panel(terms.start, left + WIDTH * V::LANES, columns.end);
                        let step = self.b.columns;
                        let tiles = Tiles { a, b, next, onto, c, step, terms: terms.len(), height, width };
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

    /// Where the panel of B that comes next lies, if it is worth fetching: B does not stay in the cache by itself.
    unsafe fn next_panel(&self, first: usize, left: usize, end: usize) -> Option<Place<T>> {
        let (row, column) = self.b.strides;
        // SAFETY: inside of B.
        (self.b.data.len() > LARGE && left < end)
            .then(|| unsafe { Place { start: self.b.data.as_ptr().add(first * row + left * column), row, column } })
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
        for column in (0..columns).step_by(V::LANES) {
            let (height, width) = (V::LANES.min(rows - row), V::LANES.min(columns - column));
            // SAFETY: only elements inside of both matrices are read and written.
            unsafe {
                let (source, target) = (source.add(row * source_step + column), target.add(column * target_step + row));
                if height == V::LANES && width == V::LANES {
                    transpose_square::<V, true>(height, width, source, source_step, target, target_step);
                } else {
                    transpose_square::<V, false>(height, width, source, source_step, target, target_step);
                }
            }
        }
    }
}

/// Writes the transpose of `[height, width]`, at most a vector in both directions, and exactly that if it is `WHOLE`.
#[inline(always)]
unsafe fn transpose_square<V: Vector, const WHOLE: bool>(
    height: usize,
    width: usize,
    source: *const V::Element,
    source_step: usize,
    target: *mut V::Element,
    target_step: usize,
) {
    // SAFETY: only elements inside of both matrices are read and written.
    unsafe {
        let mut square = [V::splat(V::Element::ZERO); 16];
        // Constant bounds, so that the lines stay in registers.
        for (k, line) in square.iter_mut().enumerate().take(V::LANES) {
            if WHOLE {
                *line = V::load(source.add(k * source_step));
            } else if k < height {
                *line = V::load_up_to(width, source.add(k * source_step));
            }
        }
        // First what is inside of parts of 16 bytes, the high bit before the low one, then the parts.
        if size_of::<V::Element>() == 4 {
            exchange::<V, 1>(&mut square);
            exchange::<V, 0>(&mut square);
        } else {
            exchange::<V, 0>(&mut square);
            exchange::<V, 1>(&mut square);
        }
        if V::LANES > 4 {
            exchange::<V, 2>(&mut square);
        }
        if V::LANES > 8 {
            exchange::<V, 3>(&mut square);
        }
        for (k, line) in square.iter().enumerate().take(V::LANES) {
            if WHOLE {
                line.store(target.add(k * target_step));
            } else if k < width {
                line.store_up_to(height, target.add(k * target_step));
            }
        }
    }
}

/// Exchanges a bit of the number of the line with one of the number of the lane.
#[inline(always)]
unsafe fn exchange<V: Vector, const BIT: usize>(square: &mut [V; 16]) {
    for pair in 0..V::LANES / 2 {
        let low = pair % (1 << BIT);
        let (k, l) = (2 * pair - low, 2 * pair - low + (1 << BIT));
        let in_parts = (size_of::<V::Element>() << BIT) < 16;
        // SAFETY: passed on to the caller.
        let exchanged =
            unsafe { if in_parts { square[k].zip_lanes(square[l]) } else { square[k].split_parts(square[l]) } };
        [square[k], square[l]] = exchanged;
    }
}

/// Tiles of C below one another.
#[derive(Clone, Copy)]
struct Tiles<T> {
    a: Place<T>,
    b: Place<T>,
    next: Option<Place<T>>,
    /// What the product is added to, and the step between rows of it.
    onto: Option<(*const T, usize)>,
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
            let rows: [*const T; HEIGHT] = std::array::from_fn(|row| self.a.start.add((top + row) * self.a.row));
            let mut b = self.b.start;
            let mut at = 0;
            // C is read and written once for all terms of a block.
            if self.terms >= LONG {
                for row in 0..HEIGHT {
                    (0..WIDTH).for_each(|k| V::prefetch(self.c_at::<V>(top + row, k)));
                }
            }
            if let Some(next) = self.next {
                self.fetch::<V, HEIGHT, WIDTH>(next, top);
            }
            for _ in 0..self.terms {
                let mut line = [V::splat(T::ZERO); WIDTH];
                for (k, b_k) in line.iter_mut().enumerate() {
                    *b_k = V::load(b.add(k * V::LANES));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = V::splat(*rows[row].add(at));
                    for (sum, &b) in sums.iter_mut().zip(&line) {
                        *sum = a.mul_add(b, *sum);
                    }
                }
                at += self.a.column;
                b = b.add(self.b.row);
            }
            // All of C is read before any is written: rows at a distance of pages look like one another to the load unit.
            if let Some((onto, step)) = self.onto {
                let one = V::splat(T::ONE);
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        let at = onto.add((top + row) * step + k * V::LANES);
                        *sum = one.mul_add(V::load_up_to(self.width - k * V::LANES, at), *sum);
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

    /// Asks for the share of the next panel that falls to the tile at `top`, so that all of it has come when the last tile is done.
    #[inline(always)]
    unsafe fn fetch<V: Vector<Element = T>, const HEIGHT: usize, const WIDTH: usize>(
        &self,
        next: Place<T>,
        top: usize,
    ) {
        let share = |lines: usize| top * lines / self.height..(top + HEIGHT) * lines / self.height;
        // SAFETY: asking is no access.
        unsafe {
            if next.column == 1 {
                for line in share(self.terms) {
                    (0..WIDTH).for_each(|k| V::prefetch_far(next.start.wrapping_add(line * next.row + k * V::LANES)));
                }
            } else {
                for line in share(WIDTH * V::LANES) {
                    for at in (0..self.terms).step_by(V::LANES) {
                        V::prefetch_far(next.start.wrapping_add(line * next.column + at));
                    }
                }
            }
        }
    }

    /// The address of the vector `k` of a row of C.
    #[inline(always)]
    unsafe fn c_at<V: Vector<Element = T>>(&self, row: usize, k: usize) -> *mut T {
        unsafe { self.c.add(row * self.step + k * V::LANES) }
    }
}
