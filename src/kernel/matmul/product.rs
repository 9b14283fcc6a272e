//! The terms of a matrix product.

use std::marker::PhantomData;
use std::ops::Range;

/// A matrix within a slice: the element `[i, j]` is at `i strides.0 + j strides.1`, and one of the strides is 1.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    pub(super) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(super) strides: (usize, usize),
    /// Where the rows start, if that is not at multiples of a stride. The strides are (0, 1) then.
    pub(super) starts: Option<&'a [usize]>,
}

impl<'a, T> Matrix<'a, T> {
    /// `data` as a row-major matrix, or as the transpose of one; `rows` and `columns` are those of the result.
    pub(crate) fn new(data: &'a [T], rows: usize, columns: usize, transposed: bool) -> Self {
        // A product that wrapped around could match the length, and the kernels would access memory beyond the slice.
        assert_eq!(rows.checked_mul(columns), Some(data.len()));
        let strides = if transposed { (1, rows) } else { (columns, 1) };
        Matrix { data, rows, columns, strides, starts: None }
    }

    /// `rows × columns` elements at the beginning of `data`, whose rows are `step` apart.
    pub(crate) fn strided(data: &'a [T], rows: usize, columns: usize, step: usize) -> Self {
        assert!(fits(data.len(), rows, columns, step));
        Matrix { data, rows, columns, strides: (step, 1), starts: None }
    }

    /// Rows of `columns` elements that start anywhere in `data`; they may overlap.
    pub(crate) fn with_starts(data: &'a [T], starts: &'a [usize], columns: usize) -> Self {
        let last = data.len().checked_sub(columns);
        assert!(starts.iter().all(|&start| last.is_some_and(|last| start <= last)));
        Matrix { data, rows: starts.len(), columns, strides: (0, 1), starts: Some(starts) }
    }

    /// The transpose.
    pub(crate) fn transposed(self) -> Self {
        assert!(self.starts.is_none());
        Matrix { rows: self.columns, columns: self.rows, strides: (self.strides.1, self.strides.0), ..self }
    }

    /// The elements in some of the rows and columns.
    pub(crate) fn block(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        assert!(rows.end <= self.rows && columns.end <= self.columns);
        let start = rows.start * self.strides.0 + columns.start * self.strides.1;
        let starts = self.starts.map(|starts| &starts[rows.clone()]);
        Matrix { data: &self.data[start..], rows: rows.len(), columns: columns.len(), starts, ..self }
    }

    /// Where row i starts in the data.
    #[inline(always)]
    pub(super) fn start(&self, i: usize) -> usize {
        self.starts.map_or(i * self.strides.0, |starts| starts[i])
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.rows * self.columns
    }
}

impl<T: Copy> Matrix<'_, T> {
    /// The element in row i and column j.
    #[inline]
    pub(crate) fn get(&self, i: usize, j: usize) -> T {
        self.data[self.start(i) + j * self.strides.1]
    }

    /// The elements, row after row.
    pub(super) fn to_vec(self) -> Vec<T> {
        (0..self.rows).flat_map(|i| (0..self.columns).map(move |j| self.get(i, j))).collect()
    }

    /// Writes `f` of each element to `y`, row after row.
    pub(crate) fn copy_to(&self, y: &mut [T], f: impl Fn(T) -> T) {
        for (i, y) in y.chunks_exact_mut(self.columns).enumerate() {
            y.iter_mut().enumerate().for_each(|(j, y)| *y = f(self.get(i, j)));
        }
    }
}

/// Whether rows that are `step` apart, and do not overlap, are within a slice of the given length.
pub(super) fn fits(length: usize, rows: usize, columns: usize, step: usize) -> bool {
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
    pub(super) fn new(a: Matrix<'a, T>, b: Matrix<'a, T>, accum: Accum<'a, T>, c: &'a mut [T]) -> Self {
        assert_eq!(a.rows.checked_mul(b.columns), Some(c.len()));
        let c_row = b.columns;
        Product::with_step(a, b, accum, c, c_row)
    }

    /// A product whose rows of C are `c_row` apart.
    pub(super) fn with_step(
        a: Matrix<'a, T>,
        b: Matrix<'a, T>,
        accum: Accum<'a, T>,
        c: &'a mut [T],
        c_row: usize,
    ) -> Self {
        assert!(a.columns > 0);
        assert_eq!(a.columns, b.rows);
        assert!(fits(c.len(), a.rows, b.columns, c_row));
        if let Accum::Bias(row) = accum {
            assert_eq!(row.len(), b.columns);
        }
        Product { a, b, panels: None, accum, c: c.as_mut_ptr(), c_row, borrow: PhantomData }
    }
}
