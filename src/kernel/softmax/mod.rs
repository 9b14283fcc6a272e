//! Softmax and its logarithm along the middle axis of `[outer, n, inner]`, without overflow.
//!
//! The largest score is subtracted first, and the differences are never again combined with numbers
//! as large as the scores. So results are as accurate for scores around 10⁴ as for scores around 0.

pub(crate) mod cross_entropy;

use crate::kernel::Float;
use crate::kernel::reduce::reduce_lanes;

/// Exponentials that are computed at a time.
pub(crate) const LANES: usize = 16;
/// The largest number of scores in a row for which [`LANES`] rows are transposed, so that a vector holds one score of each.
pub(crate) const MAX_TRANSPOSED: usize = 64;

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

simd! {
    /// `y = eˣ/Σeˣ`, or its logarithm, along the middle axis; `scratch` has twice the length of the inner axis.
    pub(crate) fn softmax[T: Float](x: &[T], n: usize, inner: usize, output: Output, scratch: &mut [T], y: &mut [T]) {
        if n == 0 || inner == 0 {
            return;
        }
        if inner == 1 && n <= MAX_TRANSPOSED {
            let mut transposed = [[T::ZERO; MAX_TRANSPOSED * LANES]; 2];
            let [scores, results] = transposed.each_mut().map(|block| &mut block[..n * LANES]);
            for (y, x) in y.chunks_mut(n * LANES).zip(x.chunks(n * LANES)) {
                transpose_in(x, n, scores);
                let [mut shifts, mut sums] = [[T::ZERO; LANES]; 2];
                columns(scores, output, [&mut shifts, &mut sums], results);
                transpose_out(results, n, y);
            }
            return;
        }
        let (shifts, sums) = scratch.split_at_mut(inner);
        for (y, x) in y.chunks_exact_mut(n * inner).zip(x.chunks_exact(n * inner)) {
            if inner == 1 {
                row(x, output, y);
            } else {
                columns(x, output, [shifts, sums], y);
            }
        }
    }
}

/// exp(x − shift) of up to [`LANES`] scores. Rows are often short: padded with e^−∞ = 0 they still fill a vector.
#[inline(always)]
pub(crate) fn exp_lanes<T: Float>(x: &[T], shift: T) -> [T; LANES] {
    let mut lanes = [T::NEG_INFINITY; LANES];
    lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = x - shift);
    // Not `lanes.map`, which is compiled as a separate function without the vector instructions.
    for lane in &mut lanes {
        *lane = lane.exp();
    }
    lanes
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

#[inline(always)]
fn row<T: Float>(x: &[T], output: Output, y: &mut [T]) {
    let shift = shift(largest(x));
    let mut lanes = [T::ZERO; LANES];
    for (y, x) in y.chunks_mut(LANES).zip(x.chunks(LANES)) {
        let exps = exp_lanes(x, shift);
        lanes.iter_mut().zip(&exps).for_each(|(lane, &exp)| *lane += exp);
        y.copy_from_slice(&exps[..y.len()]);
    }
    let sum = reduce_lanes(lanes, |sum, x| sum + x);
    match output {
        Output::Probabilities => y.iter_mut().for_each(|y| *y /= sum),
        Output::Logarithms => {
            let log = sum.ln();
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - shift) - log);
        }
    }
}

#[inline(always)]
fn columns<T: Float>(x: &[T], output: Output, [shifts, sums]: [&mut [T]; 2], y: &mut [T]) {
    let inner = shifts.len();
    shift_and_sum(x, inner, shifts, sums);
    if output == Output::Logarithms {
        sums.iter_mut().for_each(|sum| *sum = sum.ln());
    }
    for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
        for (((y, &x), &shift), &sum) in y.iter_mut().zip(x).zip(&*shifts).zip(&*sums) {
            *y = match output {
                Output::Probabilities => (x - shift).exp() / sum,
                Output::Logarithms => (x - shift) - sum,
            };
        }
    }
}

/// Writes up to [`LANES`] rows as columns of `[size, LANES]`; the remaining columns are left unchanged.
#[inline(always)]
pub(crate) fn transpose_in<T: Float>(rows: &[T], size: usize, columns: &mut [T]) {
    for (i, row) in rows.chunks_exact(size).enumerate().take(LANES) {
        for (line, &x) in columns.chunks_exact_mut(LANES).zip(row) {
            line[i] = x;
        }
    }
}

/// Writes columns of `[size, LANES]` as rows: the inverse of [`transpose_in`].
#[inline(always)]
pub(crate) fn transpose_out<T: Float>(columns: &[T], size: usize, rows: &mut [T]) {
    for (i, row) in rows.chunks_exact_mut(size).enumerate().take(LANES) {
        for (line, x) in columns.chunks_exact(LANES).zip(row) {
            *x = line[i];
        }
    }
}

/// The shift and Σ exp(x − shift) of a row.
#[inline(always)]
fn row_statistics<T: Float>(x: &[T]) -> [T; 2] {
    let shift = shift(largest(x));
    let mut lanes = [T::ZERO; LANES];
    for x in x.chunks(LANES) {
        lanes.iter_mut().zip(&exp_lanes(x, shift)).for_each(|(lane, &exp)| *lane += exp);
    }
    [shift, reduce_lanes(lanes, |sum, x| sum + x)]
}

/// The shift and Σ exp(x − shift) of each column of `[n, inner]`.
#[inline(always)]
pub(crate) fn shift_and_sum<T: Float>(x: &[T], inner: usize, shifts: &mut [T], sums: &mut [T]) {
    if inner == 1 {
        [shifts[0], sums[0]] = row_statistics(x);
        return;
    }
    shifts.fill(T::NEG_INFINITY);
    for x in x.chunks_exact(inner) {
        shifts.iter_mut().zip(x).for_each(|(largest, &x)| *largest = largest.maximum(x));
    }
    shifts.iter_mut().for_each(|largest| *largest = shift(*largest));
    sums.fill(T::ZERO);
    for x in x.chunks_exact(inner) {
        for ((sum, &shift), &x) in sums.iter_mut().zip(&*shifts).zip(x) {
            *sum += (x - shift).exp();
        }
    }
}

simd! {
    /// `y = ln Σ eˣ` along the last axis of `[outer, n]`; −∞ if n is 0.
    pub(crate) fn logsumexp[T: Float](x: &[T], n: usize, y: &mut [T]) {
        if n <= MAX_TRANSPOSED {
            let mut transposed = [T::ZERO; MAX_TRANSPOSED * LANES];
            let transposed = &mut transposed[..n * LANES];
            for (k, y) in y.chunks_mut(LANES).enumerate() {
                transpose_in(&x[k * LANES * n..][..y.len() * n], n.max(1), transposed);
                let [mut shifts, mut sums] = [[T::ZERO; LANES]; 2];
                shift_and_sum(transposed, LANES, &mut shifts, &mut sums);
                for ((y, &shift), sum) in y.iter_mut().zip(&shifts).zip(&sums) {
                    *y = sum.ln() + shift;
                }
            }
            return;
        }
        for (y, x) in y.iter_mut().zip(x.chunks_exact(n)) {
            let [shift, sum] = row_statistics(x);
            *y = sum.ln() + shift;
        }
    }
}
