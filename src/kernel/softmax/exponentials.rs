//! Exponentials and their sums: of rows, and of columns side by side.

use crate::kernel::Float;
use crate::kernel::reduce::{fold_row, reduce_lanes};

/// Exponentials that are computed at a time.
pub(super) const LANES: usize = 16;
/// Groups of [`LANES`] exponentials that are summed in the precision of the elements; the sums of such blocks are added in double
/// precision.
const BLOCK: usize = 32;
/// The number of scores from which on a row is processed by itself. [`LANES`] shorter ones are transposed, so that a vector holds one
/// score of each.
const LONG: usize = 24;
/// The most scores of rows that are transposed together.
pub(super) const MAX_TRANSPOSED: usize = (LONG - 1) * LANES;
/// The smallest number of rows that are transposed: for fewer, most of a vector would be unused.
const MIN_TRANSPOSED_ROWS: usize = 4;

/// Whether rows of `n` scores are transposed. That depends on sizes alone, so that results do not depend on the number of threads.
pub(super) fn is_transposed(rows: usize, n: usize) -> bool {
    n < LONG && rows >= MIN_TRANSPOSED_ROWS
}

/// What is subtracted from scores of the given maximum: the maximum, or 0 if it is infinite, so that only a row of −∞ alone
/// gives NaN.
#[inline(always)]
pub(crate) fn shift<T: Float>(largest: T) -> T {
    if largest.is_finite() { largest } else { T::ZERO }
}

/// The larger of the two, in one instruction. A NaN may be lost: it reaches the results through its exponential.
#[inline(always)]
pub(crate) fn larger<T: Float>(x: T, y: T) -> T {
    if x > y { x } else { y }
}

/// Rows that are processed together: the steps of one row wait for each other, those of several do not.
pub(super) const BUNDLE: usize = 16;

/// Elements of a bundle: as many rows as stay in the first-level cache, but at least one.
pub(super) fn bundle_size(n: usize) -> usize {
    const MAX_ELEMENTS: usize = 2048;
    (MAX_ELEMENTS / n).clamp(1, BUNDLE) * n
}

/// The shift and Σ exp(x − shift) of each row of a bundle.
pub(super) struct Bundle<T> {
    pub(super) shifts: [T; BUNDLE],
    pub(super) sums: [T; BUNDLE],
}

impl<T: Float> Bundle<T> {
    /// Writes exp(x − shift) to `y` for rows of `n` elements.
    #[inline(always)]
    pub(super) fn exp(x: &[T], n: usize, y: &mut [T]) -> Self {
        let (mut shifts, mut sums) = ([T::ZERO; BUNDLE], [T::ZERO; BUNDLE]);
        for (row, x) in shifts.iter_mut().zip(x.chunks_exact(n)) {
            *row = shift(fold_row(x, T::NEG_INFINITY, larger));
        }
        for ((sum, &shift), (x, y)) in sums.iter_mut().zip(&shifts).zip(x.chunks_exact(n).zip(y.chunks_exact_mut(n))) {
            *sum = exp_row(x, shift, y);
        }
        Bundle { shifts, sums }
    }

    /// The logarithms of the sums.
    #[inline(always)]
    pub(super) fn logs(&self) -> [T; BUNDLE] {
        let mut logs = self.sums;
        for log in &mut logs {
            *log = log.ln();
        }
        logs
    }
}

/// Writes exp(x − shift) to `y`; returns the sum.
#[inline(always)]
fn exp_row<T: Float>(x: &[T], shift: T, y: &mut [T]) -> T {
    let rest = x.len() % LANES;
    let mut last = [T::ZERO; LANES];
    match (x.last_chunk::<LANES>(), y.last_chunk_mut::<LANES>()) {
        (Some(x), Some(y)) if rest > 0 => {
            // The last group overlaps the one before, which computes the same values there.
            for lane in 0..LANES {
                y[lane] = (x[lane] - shift).exp();
                last[lane] = if lane < LANES - rest { T::ZERO } else { y[lane] };
            }
        }
        (None, _) => {
            for ((&x, y), sum) in x.iter().zip(&mut *y).zip(&mut last) {
                *y = (x - shift).exp();
                *sum = *y;
            }
        }
        _ => {}
    }
    let (groups, results) = (x.as_chunks::<LANES>().0, y.as_chunks_mut::<LANES>().0);
    let mut total = 0.0;
    for (x, y) in groups.chunks(BLOCK).zip(results.chunks_mut(BLOCK)) {
        let mut sums = std::mem::replace(&mut last, [T::ZERO; LANES]);
        for (x, y) in x.iter().zip(y) {
            for lane in 0..LANES {
                y[lane] = (x[lane] - shift).exp();
                sums[lane] += y[lane];
            }
        }
        total += reduce_lanes(sums, |low, high| low + high).to_f64();
    }
    T::from_f64(if groups.is_empty() { reduce_lanes(last, |low, high| low + high).to_f64() } else { total })
}

/// The number of values for each column in [`Columns`].
pub(super) const COLUMN_VALUES: usize = 3;

/// Values for each column of `[n, inner]`.
pub(super) struct Columns<'a, T> {
    pub(super) shifts: &'a mut [T],
    /// Σ exp(x − shift), then what is computed from it.
    pub(super) sums: &'a mut [T],
    /// The rounding errors of the sums.
    errors: &'a mut [T],
}

impl<'a, T: Float> Columns<'a, T> {
    #[inline(always)]
    pub(super) fn new(values: &'a mut [T]) -> Self {
        let inner = values.len() / COLUMN_VALUES;
        let (shifts, sums) = values.split_at_mut(inner);
        let (sums, errors) = sums.split_at_mut(inner);
        Columns { shifts, sums, errors }
    }

    /// Writes exp(x − shift) to `y`, with the shift of each column; sums them.
    #[inline(always)]
    pub(super) fn exp(&mut self, x: &[T], y: &mut [T]) {
        let Columns { shifts, sums, errors } = self;
        match (shifts.as_chunks_mut(), sums.as_chunks_mut()) {
            (([shifts], []), ([sums], [])) if x.len() <= MAX_TRANSPOSED => exp_of_lanes(x, shifts, sums, y),
            _ => exp_of_columns(x, shifts, sums, errors, y),
        }
    }

    /// Multiplies the values of each column by what the sum was replaced by.
    #[inline(always)]
    pub(super) fn scale(&self, y: &mut [T]) {
        for y in y.chunks_exact_mut(self.sums.len()) {
            y.iter_mut().zip(&*self.sums).for_each(|(y, &factor)| *y *= factor);
        }
    }
}

/// [`Columns::exp`] for [`LANES`] columns, which stay in registers, of so few terms that their sums lose no digits.
#[inline(always)]
fn exp_of_lanes<T: Float>(x: &[T], shifts: &mut [T; LANES], sums: &mut [T; LANES], y: &mut [T]) {
    let ((rows, _), (results, _)) = (x.as_chunks::<LANES>(), y.as_chunks_mut::<LANES>());
    let mut largest = [T::NEG_INFINITY; LANES];
    for row in rows {
        for lane in 0..LANES {
            largest[lane] = larger(largest[lane], row[lane]);
        }
    }
    for lane in 0..LANES {
        shifts[lane] = shift(largest[lane]);
    }
    let mut totals = [T::ZERO; LANES];
    for (row, y) in rows.iter().zip(results) {
        for lane in 0..LANES {
            y[lane] = (row[lane] - shifts[lane]).exp();
            totals[lane] += y[lane];
        }
    }
    *sums = totals;
}

/// [`Columns::exp`] for any number of columns and terms.
#[inline(always)]
fn exp_of_columns<T: Float>(x: &[T], shifts: &mut [T], sums: &mut [T], errors: &mut [T], y: &mut [T]) {
    let inner = shifts.len();
    shifts.fill(T::NEG_INFINITY);
    for x in x.chunks_exact(inner) {
        shifts.iter_mut().zip(x).for_each(|(largest, &x)| *largest = larger(*largest, x));
    }
    shifts.iter_mut().for_each(|largest| *largest = shift(*largest));
    sums.fill(T::ZERO);
    errors.fill(T::ZERO);
    for (x, y) in x.chunks_exact(inner).zip(y.chunks_exact_mut(inner)) {
        let columns = sums.iter_mut().zip(&mut *errors).zip(&*shifts);
        for (((sum, error), &shift), (&x, y)) in columns.zip(x.iter().zip(y)) {
            *y = (x - shift).exp();
            // Kahan 1965: a sum of many terms in single precision would lose digits.
            let term = *y - *error;
            let next = *sum + term;
            let rounding = (next - *sum) - term;
            // An infinite sum has none.
            *error = if rounding.is_nan() { T::ZERO } else { rounding };
            *sum = next;
        }
    }
}

/// Writes up to [`LANES`] rows as columns of `[size, LANES]`; the remaining columns are left unchanged.
#[inline(always)]
pub(super) fn transpose_in<T: Float>(rows: &[T], size: usize, columns: &mut [T]) {
    for (i, row) in rows.chunks_exact(size).enumerate().take(LANES) {
        for (line, &x) in columns.chunks_exact_mut(LANES).zip(row) {
            line[i] = x;
        }
    }
}

/// Writes columns of `[size, LANES]` as rows: the inverse of [`transpose_in`].
#[inline(always)]
pub(super) fn transpose_out<T: Float>(columns: &[T], size: usize, rows: &mut [T]) {
    for (i, row) in rows.chunks_exact_mut(size).enumerate().take(LANES) {
        for (line, x) in columns.chunks_exact(LANES).zip(row) {
            *x = line[i];
        }
    }
}
