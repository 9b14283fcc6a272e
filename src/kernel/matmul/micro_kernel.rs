//! Matrix products in vector registers, blocked for the caches.
//!
//! C is computed in tiles of MR rows and NR vectors, which stay in registers while k runs. What a column of tiles needs of B, a
//! panel of up to [`KC`] rows and as many columns as a tile, is packed once and serves all tiles of the column. A is read in
//! place unless its rows are far apart; then blocks of [`MC`] rows and `KC` columns are packed. Goto and van de Geijn, Anatomy
//! of high-performance matrix multiplication (2008), describe the scheme.
//!
//! Every element of C is the sum of its products in the order of k, in partial sums of [`KC`] terms. Neither the shape of the
//! tile that contains it nor the width of the vectors changes a bit.

use crate::kernel::Float;
use crate::kernel::base::memory::Block;
use crate::kernel::matmul::copies::{copy, transpose};
use crate::kernel::matmul::product::{Accum, Matrix, Product};
use crate::kernel::matmul::vector::{Vector, prefetch, prefetch_l2};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Terms of a partial sum that is kept in registers.
const KC: usize = 256;
/// Rows of a packed block of A: with [`KC`] columns it fills half of a second-level cache.
const MC: usize = 512;
/// Columns of a tile at most.
const NC: usize = 32;
/// Elements of a matrix that stays in the first-level cache, so that packing does not pay.
const L1_ELEMENTS: usize = 4096;
/// Elements of a matrix that does not stay in the second-level cache.
const L2_ELEMENTS: usize = 1 << 19;
/// Elements between the rows of A from which on they compete for the same cache lines.
const DISTANT_ROWS: usize = 1024;
/// Terms from which on a tile takes long enough for a prefetch of C to arrive.
const MIN_TERMS_TO_PREFETCH: usize = 64;

/// The address of a matrix, and the steps between its rows and between its columns.
#[derive(Clone, Copy)]
struct MatPtr<'a, T> {
    start: *const T,
    row: usize,
    column: usize,
    /// Where the rows start, if not at multiples of a step.
    starts: Option<&'a [usize]>,
}

/// Space for a panel of B.
#[repr(align(64))]
struct Panel<T>(MaybeUninit<[[T; NC]; KC]>);

impl<T: Float> Product<'_, T> {
    /// Computes the block of C in the given rows and columns in tiles of up to `MR` rows and `NR` vectors.
    ///
    /// # Safety
    /// The processor must have the instructions of the vectors. The rows and columns must be within C, and no other thread may
    /// access that block of C during the call.
    #[inline(always)]
    pub(crate) unsafe fn run<V: Vector<Element = T>, const MR: usize, const NR: usize>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        const { assert!(NR * V::LANES <= NC) };
        let k = self.a.columns;
        let mut panel = Panel::<T>(MaybeUninit::uninit());
        let panel: *mut T = panel.0.as_mut_ptr().cast();
        let mut block = self.a_is_scattered().then(|| Block::<T>::take(KC * MC).0);
        for first in (0..k).step_by(KC) {
            let terms = first..k.min(first + KC);
            let accum = if first == 0 { self.accum } else { Accum::Add };
            for top in rows.clone().step_by(MC) {
                let height = rows.end.min(top + MC) - top;
                // SAFETY: the caller guarantees the instructions. The rows are within A, the terms within its columns, and the
                // block has space for MC rows and KC columns.
                let a = unsafe { self.pack_a::<V>(top..top + height, terms.clone(), block.as_mut()) };
                for left in columns.clone().step_by(NR * V::LANES) {
                    let width = columns.end.min(left + NR * V::LANES) - left;
                    // SAFETY: the caller guarantees the instructions. The terms are within the rows of B and the columns within
                    // its columns; the panel has space for KC rows of NC ≥ NR · LANES columns.
                    let b = unsafe { self.pack_b::<V, MR>(terms.clone(), left..left + width, panel) };
                    let c_row = self.c_row;
                    let c = self.c.wrapping_add(top * c_row + left);
                    let addend = match accum {
                        Accum::Replace => None,
                        Accum::Add => Some((c.cast_const(), c_row)),
                        Accum::Bias(row) => Some((row.as_ptr().wrapping_add(left), 0)),
                    };
                    let next = self.next_panel::<V>(terms.clone(), left + NR * V::LANES..columns.end);
                    let tiles = TileColumn { a, b, next, addend, c, c_row, terms: terms.len(), height, width };
                    // SAFETY: the caller guarantees the instructions, and the block of C. `pack_a` and `pack_b` made A and B
                    // readable as `TileColumn` requires; C and the bias are as large as `Product` asserts. The width takes
                    // exactly the given number of vectors.
                    unsafe {
                        match width.div_ceil(V::LANES) {
                            2 if NR >= 2 => tiles.run::<V, MR, 2>(),
                            _ => tiles.run::<V, MR, 1>(),
                        }
                    }
                }
            }
        }
    }

    /// Whether the rows of A are so far apart that packing pays: rows at a distance of pages compete for the same cache lines.
    fn a_is_scattered(&self) -> bool {
        let (row, column) = self.a.strides;
        self.a.len() > L1_ELEMENTS && (column != 1 || row >= DISTANT_ROWS)
    }

    /// Some rows and columns of A, packed into `block` if there is one, otherwise in place: readable for `rows × terms`.
    ///
    /// # Safety
    /// The processor must have the instructions of the vectors. `rows` and `terms` must be within the rows and columns of A, and
    /// the block must have as many elements as the two select.
    #[inline(always)]
    unsafe fn pack_a<V: Vector<Element = T>>(
        &self,
        rows: Range<usize>,
        terms: Range<usize>,
        block: Option<&mut Block<T>>,
    ) -> MatPtr<'_, T> {
        let (row, column) = self.a.strides;
        let start = self.a.data.as_ptr().wrapping_add(rows.start * row + terms.start * column);
        let starts = self.a.starts.map(|starts| &starts[rows.clone()]);
        let Some(block) = block else { return MatPtr { start, row, column, starts } };
        let block = block.elements_mut().expect("a block just taken is unshared").as_mut_ptr();
        // SAFETY: A is within its slice, so this part of it is readable: with a column stride of 1 as rows of `terms`, otherwise,
        // since its row stride is 1 then, as columns of `rows`. The caller guarantees that the block has space for the copy,
        // whose rows follow each other without a gap.
        unsafe {
            match column {
                1 => copy::<V, false>(rows.len(), terms.len(), start, row, block, terms.len()),
                _ => transpose::<V, false>(terms.len(), rows.len(), start, column, block, terms.len()),
            }
        }
        MatPtr { start: block, row: terms.len(), column: 1, starts: None }
    }

    /// The panel of B that follows in a row of panels, if prefetching pays because B does not stay in the cache.
    fn next_panel<V: Vector<Element = T>>(&self, terms: Range<usize>, columns: Range<usize>) -> Option<MatPtr<'_, T>> {
        let (row, column) = self.b.strides;
        (self.b.len() > L2_ELEMENTS && !columns.is_empty() && self.b.starts.is_none()).then(|| {
            self.packed_panel::<V>(&terms, &columns).unwrap_or_else(|| {
                let start = self.b.data.as_ptr().wrapping_add(terms.start * row + columns.start * column);
                MatPtr { start, row, column, starts: None }
            })
        })
    }

    /// The panel of some rows and columns of a B that was packed before.
    #[inline(always)]
    fn packed_panel<V: Vector<Element = T>>(
        &self,
        terms: &Range<usize>,
        columns: &Range<usize>,
    ) -> Option<MatPtr<'_, T>> {
        let panels = self.panels?;
        let at = terms.start * self.b.columns.next_multiple_of(V::LANES) + columns.start * terms.len();
        let row = columns.len().next_multiple_of(V::LANES);
        Some(MatPtr { start: panels[at..].as_ptr(), row, column: 1, starts: None })
    }

    /// Some rows and columns of B with a column stride of 1, packed into `panel` unless they can be read in place: readable for
    /// `terms` rows of `columns`, rounded up to whole vectors.
    ///
    /// # Safety
    /// The processor must have the instructions of the vectors. `terms` and `columns` must be within the rows and columns of B, and
    /// `panel` must be writable for `terms` rows of `columns`, rounded up to whole vectors.
    #[inline(always)]
    unsafe fn pack_b<V: Vector<Element = T>, const MR: usize>(
        &self,
        terms: Range<usize>,
        columns: Range<usize>,
        panel: *mut T,
    ) -> MatPtr<'_, T> {
        if let Some(packed) = self.packed_panel::<V>(&terms, &columns) {
            return packed;
        }
        let (row, column) = self.b.strides;
        let width = columns.len();
        let step = width.next_multiple_of(V::LANES);
        let regular = column == 1 && self.b.starts.is_none();
        if regular && step == width && (self.a.rows <= MR || self.b.len() <= L1_ELEMENTS) {
            let start = self.b.data.as_ptr().wrapping_add(terms.start * row + columns.start);
            return MatPtr { start, row, column, starts: None };
        }
        // SAFETY: the caller guarantees what the method requires.
        unsafe { self.b.pack_panel::<V>(terms, columns, panel) };
        MatPtr { start: panel, row: step, column: 1, starts: None }
    }
}

impl<T: Float> Matrix<'_, T> {
    /// The panels of all blocks of rows, each for all columns.
    ///
    /// # Safety
    /// The processor must have the instructions of the vectors.
    #[inline(always)]
    pub(super) unsafe fn pack<V: Vector<Element = T>, const NR: usize>(&self) -> Block<T> {
        let mut panels = Block::<T>::take(self.rows * self.columns.next_multiple_of(V::LANES)).0;
        let mut rest = panels.elements_mut().expect("a block just taken is unshared");
        for first in (0..self.rows).step_by(KC) {
            let terms = first..self.rows.min(first + KC);
            for left in (0..self.columns).step_by(NR * V::LANES) {
                let columns = left..self.columns.min(left + NR * V::LANES);
                let (panel, behind) = rest.split_at_mut(terms.len() * columns.len().next_multiple_of(V::LANES));
                // SAFETY: the caller guarantees the instructions. The ranges are within the matrix, and the panel has a whole
                // number of vectors for each of its rows.
                unsafe { self.pack_panel::<V>(terms.clone(), columns, panel.as_mut_ptr()) };
                rest = behind;
            }
        }
        panels
    }

    /// Writes some rows and columns to `panel`, row by row, each filled up with zeros to whole vectors.
    ///
    /// # Safety
    /// The processor must have the instructions of the vectors. `terms` and `columns` must be within the rows and columns, and
    /// `panel` must be writable for `terms` rows of `columns`, rounded up to whole vectors.
    #[inline(always)]
    unsafe fn pack_panel<V: Vector<Element = T>>(&self, terms: Range<usize>, columns: Range<usize>, panel: *mut T) {
        let (row, column) = self.strides;
        let width = columns.len();
        let step = width.next_multiple_of(V::LANES);
        if let Some(starts) = self.starts {
            for (k, &start) in starts[terms].iter().enumerate() {
                let row = self.data.as_ptr().wrapping_add(start + columns.start);
                // SAFETY: as below, for a single row.
                unsafe { copy::<V, true>(1, width, row, 0, panel.add(k * step), step) };
            }
            return;
        }
        let start = self.data.as_ptr().wrapping_add(terms.start * row + columns.start * column);
        // SAFETY: the matrix is within its slice, so this part of it is readable: with a column stride of 1 as rows of `width`,
        // otherwise, since its row stride is 1 then, as columns of `terms`. The caller guarantees the space in the panel, whose
        // rows are `step` apart, a multiple of the lanes.
        unsafe {
            match column {
                1 => copy::<V, true>(terms.len(), width, start, row, panel, step),
                _ => transpose::<V, true>(width, terms.len(), start, column, panel, step),
            }
        }
    }
}

/// A column of tiles of C: `height` rows of `width` columns, computed from `terms` columns of A and rows of B.
///
/// The methods of this type require:
/// - the processor has the instructions of the vectors, and `width` takes exactly `NR` of them;
/// - `a` is readable for `height` rows of `terms` elements;
/// - `b` has a column stride of 1 and is readable for `terms` rows of `NR` vectors;
/// - `c` is writable for `height` rows of `width` elements, which no other thread accesses;
/// - `addend` is readable for the same.
#[derive(Clone, Copy)]
struct TileColumn<'a, T> {
    a: MatPtr<'a, T>,
    b: MatPtr<'a, T>,
    /// The panel to prefetch.
    next: Option<MatPtr<'a, T>>,
    /// What the product is added to, and the step between its rows.
    addend: Option<(*const T, usize)>,
    c: *mut T,
    /// The step between rows of C.
    c_row: usize,
    terms: usize,
    height: usize,
    width: usize,
}

impl<T: Float> TileColumn<'_, T> {
    /// Computes all tiles, each as high as possible.
    ///
    /// # Safety
    /// As stated for the type.
    #[inline(always)]
    unsafe fn run<V: Vector<Element = T>, const MR: usize, const NR: usize>(&self) {
        let mut top = 0;
        while top < self.height {
            // SAFETY: the caller guarantees what the type requires, and at least as many rows are left as each case computes.
            top += unsafe {
                match self.height - top {
                    8.. if MR >= 8 => self.micro_kernel::<V, 8, NR>(top),
                    // A tile of two rows takes as long as one of four, so eight rows are not six and two.
                    left @ 6.. if MR == 6 && left != 8 => self.micro_kernel::<V, 6, NR>(top),
                    4.. => self.micro_kernel::<V, 4, NR>(top),
                    2.. => self.micro_kernel::<V, 2, NR>(top),
                    _ => self.micro_kernel::<V, 1, NR>(top),
                }
            }
        }
    }

    /// Computes the tile whose first row is `top`; returns its height.
    ///
    /// # Safety
    /// As stated for the type; `top + MR` may not exceed the height.
    #[expect(
        clippy::needless_range_loop,
        reason = "iterators are inlined only by link-time optimization, which a program may turn off"
    )]
    #[inline(always)]
    unsafe fn micro_kernel<V: Vector<Element = T>, const MR: usize, const NR: usize>(&self, top: usize) -> usize {
        // SAFETY: the caller guarantees the instructions.
        let (zero, one) = unsafe { (V::splat(T::ZERO), V::splat(T::ONE)) };
        let mut sums = [[zero; NR]; MR];
        let mut rows = [self.a.start; MR];
        for row in 0..MR {
            let start = self.a.starts.map_or((top + row) * self.a.row, |starts| starts[top + row]);
            rows[row] = self.a.start.wrapping_add(start);
        }
        // C is read and written once per partial sum.
        if self.terms >= MIN_TERMS_TO_PREFETCH {
            for row in 0..MR {
                for k in 0..NR {
                    prefetch(self.c_at::<V>(top + row, k));
                }
            }
        }
        if let Some(next) = self.next {
            self.prefetch_share::<V, MR, NR>(next, top);
        }
        // Wrapping steps are not checked in debug builds of a program.
        let mut b = self.b.start;
        let mut at = 0usize;
        for _ in 0..self.terms {
            let mut line = [zero; NR];
            for k in 0..NR {
                // SAFETY: `b` is at one of the `terms` rows of B, which are readable for NR vectors.
                line[k] = unsafe { V::load(b.wrapping_add(k * V::LANES)) };
            }
            for row in 0..MR {
                // SAFETY: row `top + row` of A is within the height, and `at` is at one of its `terms` elements.
                let a = unsafe { V::splat_from(rows[row].wrapping_add(at)) };
                for k in 0..NR {
                    sums[row][k] = a.mul_add(line[k], sums[row][k]);
                }
            }
            at = at.wrapping_add(self.a.column);
            // The last step may leave B.
            b = b.wrapping_add(self.b.row);
        }
        // All of C is read before any is written: to the load unit, rows at a distance of pages look alike.
        if let Some((addend, step)) = self.addend {
            for row in 0..MR {
                for k in 0..NR {
                    // SAFETY: the row is within the height. Vector k starts within the width, since the width takes NR of them,
                    // and no more is read than is left of it.
                    let x = unsafe {
                        V::load_up_to(self.width - k * V::LANES, addend.add((top + row) * step + k * V::LANES))
                    };
                    sums[row][k] = one.mul_add(x, sums[row][k]);
                }
            }
        }
        for row in 0..MR {
            for k in 0..NR {
                // SAFETY: as for the addend; the caller guarantees that no other thread accesses these elements.
                unsafe { sums[row][k].store_up_to(self.width - k * V::LANES, self.c_at::<V>(top + row, k)) };
            }
        }
        MR
    }

    /// Prefetches a share of the next panel in proportion to the rows of the tile at `top`, so that all of it has arrived when the
    /// last tile is done.
    #[inline(always)]
    fn prefetch_share<V: Vector<Element = T>, const MR: usize, const NR: usize>(
        &self,
        next: MatPtr<'_, T>,
        top: usize,
    ) {
        let share = |lines: usize| top * lines / self.height..(top + MR) * lines / self.height;
        if next.column == 1 {
            for line in share(self.terms) {
                for k in 0..NR {
                    prefetch_l2(next.start.wrapping_add(line * next.row + k * V::LANES));
                }
            }
        } else {
            for line in share(NR * V::LANES) {
                for at in (0..self.terms).step_by(V::LANES) {
                    prefetch_l2(next.start.wrapping_add(line * next.column + at));
                }
            }
        }
    }

    /// The address of vector `k` in a row of C.
    #[inline(always)]
    fn c_at<V: Vector<Element = T>>(&self, row: usize, k: usize) -> *mut T {
        self.c.wrapping_add(row * self.c_row + k * V::LANES)
    }
}
