//! Softmax and its logarithm along the middle axis of `[outer, n, inner]`, without overflow.
//!
//! The largest score is subtracted first, and the differences are never again combined with numbers
//! as large as the scores. So results are as accurate for scores around 10⁴ as for scores around 0.

pub(crate) mod cross_entropy;

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::elementwise::{map_chunk, update_chunk};
use crate::kernel::reduce::reduce_lanes;

/// Exponentials that are computed at a time.
const LANES: usize = 16;
/// Exponentials of a row that are summed in the precision of the elements; the sums of such blocks are added in double precision.
const BLOCK: usize = 32 * LANES;
/// The largest number of scores in a row for which [`LANES`] rows are transposed, so that a vector holds one score of each.
const MAX_TRANSPOSED: usize = 64;

/// The smallest number of rows that are transposed: for fewer, most of a vector would be unused.
const MIN_TRANSPOSED_ROWS: usize = 4;

/// Whether rows of `n` scores are transposed. That depends on sizes alone, so that results do not depend on the number of threads.
fn is_transposed(rows: usize, n: usize) -> bool {
    n <= MAX_TRANSPOSED && rows >= MIN_TRANSPOSED_ROWS
}

/// What a kernel computes from the scores.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Probabilities,
    Logarithms,
}

/// What is subtracted from scores of the given maximum: the maximum, or 0 if it is infinite, so that only a row of −∞ alone
/// gives NaN.
#[inline(always)]
fn shift<T: Float>(largest: T) -> T {
    if largest.is_finite() || largest.is_nan() { largest } else { T::ZERO }
}

/// The largest score; NaN if one is.
#[inline(always)]
fn largest<T: Float>(x: &[T]) -> T {
    let mut lanes = [T::NEG_INFINITY; LANES];
    for x in x.chunks(LANES) {
        lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = lane.maximum(x));
    }
    reduce_lanes(lanes, T::maximum)
}

simd! {
    /// The shift of a row and Σ exp(x − shift); the exponentials are written to `y`, unless that is empty.
    pub(crate) fn exp_row[T: Float](x: &[T], y: &mut [T]) -> [T; 2] {
        let shift = shift(largest(x));
        let mut sum = 0.0;
        for (k, x) in x.chunks(BLOCK).enumerate() {
            let mut sums = [T::ZERO; LANES];
            for (i, x) in x.chunks(LANES).enumerate() {
                // Rows are often short: padded with e^−∞ = 0 they still fill a vector.
                let mut lanes = [T::NEG_INFINITY; LANES];
                lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = x - shift);
                // Not `lanes.map`, which is compiled as a separate function without the vector instructions.
                for (lane, sum) in lanes.iter_mut().zip(&mut sums) {
                    *lane = lane.exp();
                    *sum += *lane;
                }
                if !y.is_empty() {
                    y[k * BLOCK + i * LANES..][..x.len()].copy_from_slice(&lanes[..x.len()]);
                }
            }
            sum += reduce_lanes(sums, |sum, x| sum + x).to_f64();
        }
        [shift, T::from_f64(sum)]
    }
}

/// The number of values for each column in [`Columns`].
const COLUMN_VALUES: usize = 3;

/// Values for each column of `[n, inner]`.
pub(crate) struct Columns<'a, T> {
    shifts: &'a mut [T],
    /// Σ exp(x − shift), then what is computed from it.
    sums: &'a mut [T],
    /// The rounding errors of the sums.
    errors: &'a mut [T],
}

impl<'a, T: Float> Columns<'a, T> {
    fn new(values: &'a mut [T]) -> Self {
        let inner = values.len() / COLUMN_VALUES;
        let (shifts, sums) = values.split_at_mut(inner);
        let (sums, errors) = sums.split_at_mut(inner);
        Columns { shifts, sums, errors }
    }
}

simd! {
    /// The shift and Σ exp(x − shift) of each column.
    pub(crate) fn exp_columns[T: Float](x: &[T], columns: &mut Columns<T>) {
        let Columns { shifts, sums, errors } = columns;
        match (shifts.as_chunks_mut(), sums.as_chunks_mut()) {
            (([shifts], []), ([sums], [])) if x.len() <= MAX_TRANSPOSED * LANES => exp_of_lanes(x, shifts, sums),
            _ => exp_of_columns(x, shifts, sums, errors),
        }
    }
}

/// [`exp_columns`] for [`LANES`] columns, which stay in registers, of so few terms that their sums lose no digits.
#[inline(always)]
fn exp_of_lanes<T: Float>(x: &[T], shifts: &mut [T; LANES], sums: &mut [T; LANES]) {
    let (rows, _) = x.as_chunks::<LANES>();
    let mut largest = [T::NEG_INFINITY; LANES];
    for row in rows {
        for lane in 0..LANES {
            largest[lane] = largest[lane].maximum(row[lane]);
        }
    }
    for lane in 0..LANES {
        shifts[lane] = shift(largest[lane]);
    }
    let mut totals = [T::ZERO; LANES];
    for row in rows {
        for lane in 0..LANES {
            totals[lane] += (row[lane] - shifts[lane]).exp();
        }
    }
    *sums = totals;
}

/// [`exp_columns`] for any number of columns and terms.
#[inline(always)]
fn exp_of_columns<T: Float>(x: &[T], shifts: &mut [T], sums: &mut [T], errors: &mut [T]) {
    let inner = shifts.len();
    shifts.fill(T::NEG_INFINITY);
    for x in x.chunks_exact(inner) {
        shifts.iter_mut().zip(x).for_each(|(largest, &x)| *largest = largest.maximum(x));
    }
    shifts.iter_mut().for_each(|largest| *largest = shift(*largest));
    sums.fill(T::ZERO);
    errors.fill(T::ZERO);
    for x in x.chunks_exact(inner) {
        for (((sum, error), &shift), &x) in sums.iter_mut().zip(&mut *errors).zip(&*shifts).zip(x) {
            // Kahan 1965: a sum of many terms in single precision would lose digits.
            let term = (x - shift).exp() - *error;
            let next = *sum + term;
            let rounding = (next - *sum) - term;
            // An infinite sum has none.
            *error = if rounding.is_nan() { T::ZERO } else { rounding };
            *sum = next;
        }
    }
}

simd! {
    pub(crate) fn take_logarithms[T: Float](x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.ln());
    }
}

simd! {
    /// `y = f(x − shift, value)` with the shift and the value of each column.
    pub(crate) fn map_columns[T: Float, F: Fn(T, T) -> T](x: &[T], shifts: &[T], values: &[T], y: &mut [T], f: F) {
        match (shifts.as_chunks(), values.as_chunks()) {
            (([shifts], []), ([values], [])) => map_of_columns(x, shifts as &[T; LANES], values as &[T; LANES], y, f),
            _ => map_of_columns(x, shifts, values, y, f),
        }
    }
}

#[inline(always)]
fn map_of_columns<T: Float>(x: &[T], shifts: &[T], values: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    let inner = shifts.len();
    for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
        for (((y, &x), &shift), &value) in y.iter_mut().zip(x).zip(shifts).zip(values) {
            *y = f(x - shift, value);
        }
    }
}

/// `y = eˣ/Σeˣ`, or its logarithm, along the middle axis, in parallel.
#[inline(never)]
pub(crate) fn softmax<T: Float>(x: &[T], n: usize, inner: usize, output: Output, y: &mut [T]) {
    if y.is_empty() {
        return;
    }
    let (size, rows) = (chunk_size(y.len(), n * inner), y.len() / n);
    for_each_chunk(y, size, |index, y| {
        let x = &x[index * size..][..y.len()];
        if inner > 1 {
            return with_scratch(COLUMN_VALUES * inner, |columns: &mut [T]| {
                for (y, x) in y.chunks_exact_mut(n * inner).zip(x.chunks_exact(n * inner)) {
                    softmax_of_columns(x, output, columns, y);
                }
            });
        }
        if !is_transposed(rows, n) {
            return y.chunks_exact_mut(n).zip(x.chunks_exact(n)).for_each(|(y, x)| softmax_of_row(x, output, y));
        }
        let mut transposed = [[T::ZERO; MAX_TRANSPOSED * LANES]; 2];
        let [scores, results] = transposed.each_mut().map(|block| &mut block[..n * LANES]);
        for (y, x) in y.chunks_mut(n * LANES).zip(x.chunks(n * LANES)) {
            transpose_in(x, n, scores);
            softmax_of_columns(scores, output, &mut [T::ZERO; COLUMN_VALUES * LANES], results);
            transpose_out(results, n, y);
        }
    });
}

fn softmax_of_row<T: Float>(x: &[T], output: Output, y: &mut [T]) {
    match output {
        Output::Probabilities => {
            let [_, sum] = exp_row(x, y);
            update_chunk(y, x, &|y, _| y / sum);
        }
        Output::Logarithms => {
            let [shift, sum] = exp_row(x, &mut []);
            let log = sum.ln();
            map_chunk(x, y, &|x| (x - shift) - log);
        }
    }
}

fn softmax_of_columns<T: Float>(x: &[T], output: Output, columns: &mut [T], y: &mut [T]) {
    let mut columns = Columns::new(columns);
    exp_columns(x, &mut columns);
    match output {
        Output::Probabilities => map_columns(
            x,
            columns.shifts,
            columns.sums,
            y,
            #[inline(always)]
            |x: T, sum| x.exp() / sum,
        ),
        Output::Logarithms => {
            take_logarithms(columns.sums);
            map_columns(x, columns.shifts, columns.sums, y, |x, log| x - log);
        }
    }
}

/// Writes up to [`LANES`] rows as columns of `[size, LANES]`; the remaining columns are left unchanged.
fn transpose_in<T: Float>(rows: &[T], size: usize, columns: &mut [T]) {
    for (i, row) in rows.chunks_exact(size).enumerate().take(LANES) {
        for (line, &x) in columns.chunks_exact_mut(LANES).zip(row) {
            line[i] = x;
        }
    }
}

/// Writes columns of `[size, LANES]` as rows: the inverse of [`transpose_in`].
fn transpose_out<T: Float>(columns: &[T], size: usize, rows: &mut [T]) {
    for (i, row) in rows.chunks_exact_mut(size).enumerate().take(LANES) {
        for (line, x) in columns.chunks_exact(LANES).zip(row) {
            *x = line[i];
        }
    }
}

/// `y = ln Σ eˣ` along the last axis of `[outer, n]`, in parallel; −∞ if n is 0.
#[inline(never)]
pub(crate) fn logsumexp<T: Float>(x: &[T], n: usize, y: &mut [T]) {
    let size = (chunk_size(x.len(), n.max(1)) / n.max(1)).max(1).next_multiple_of(LANES);
    let rows = y.len();
    for_each_chunk(y, size, |index, y| {
        let x = &x[index * size * n..][..y.len() * n];
        if !is_transposed(rows, n) && n > 0 {
            for (y, x) in y.iter_mut().zip(x.chunks_exact(n)) {
                let [shift, sum] = exp_row(x, &mut []);
                *y = sum.ln() + shift;
            }
            return;
        }
        let mut transposed = [T::ZERO; MAX_TRANSPOSED * LANES];
        let transposed = &mut transposed[..n * LANES];
        for (k, y) in y.chunks_mut(LANES).enumerate() {
            transpose_in(&x[k * LANES * n..][..y.len() * n], n.max(1), transposed);
            let mut columns = [T::ZERO; COLUMN_VALUES * LANES];
            let mut columns = Columns::new(&mut columns);
            exp_columns(transposed, &mut columns);
            take_logarithms(columns.sums);
            for ((y, &shift), &log) in y.iter_mut().zip(&*columns.shifts).zip(&*columns.sums) {
                *y = log + shift;
            }
        }
    });
}
