//! Loops over the rows of a block of scores.

use crate::kernel::Float;
use crate::kernel::reduce::{fold_row, sum_row};
use crate::kernel::softmax::{larger, shift};

/// Elements that are processed at a time.
const LANES: usize = 16;

/// The largest score of each query so far, the sum of its exponentials, and by what their former values were multiplied.
pub(crate) struct Running<T, const N: usize> {
    pub(crate) largest: [T; N],
    pub(crate) sums: [f64; N],
    pub(crate) factors: [T; N],
}

impl<T: Float, const N: usize> Running<T, N> {
    pub(crate) fn new() -> Self {
        Running { largest: [T::NEG_INFINITY; N], sums: [0.0; N], factors: [T::ZERO; N] }
    }
}

/// A row up to the next whole vector after a limit.
#[inline(always)]
fn visible<T>(row: &mut [T], limit: usize) -> &mut [T] {
    let end = row.len().min(limit.next_multiple_of(LANES));
    &mut row[..end]
}

/// Hides the scores of a row beyond a limit. The result is the [`visible`] part; the rest is set to 0.
#[inline(always)]
fn hide<T: Float>(row: &mut [T], limit: usize) -> &mut [T] {
    row[limit..].fill(T::ZERO);
    let row = visible(row, limit);
    row[limit..].fill(T::NEG_INFINITY);
    row
}

/// Turns scores into `exp(x − shift)`.
#[inline(always)]
fn exponentiate<T: Float>(row: &mut [T], shift: T) {
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for x in chunk {
            *x = (*x - shift).exp();
        }
    }
    for x in rest {
        *x = (*x - shift).exp();
    }
}

simd! {
    /// Turns the first `limits[i]` scores of each row of `n` into exponentials, and the others into 0.
    pub(crate) fn exponentials[T: Float, const N: usize](scores: &mut [T], n: usize, limits: &[usize; N], running: &mut Running<T, N>) {
        // In passes over all rows: the steps of one row wait for each other, those of several do not.
        let before = running.largest;
        let rows = scores.chunks_exact_mut(n).zip(limits);
        for ((row, &limit), largest) in rows.zip(&mut running.largest) {
            *largest = fold_row(hide(row, limit), *largest, larger);
        }
        let shifts = running.largest.map(shift);
        for (factor, (&before, &shift)) in running.factors.iter_mut().zip(before.iter().zip(&shifts)) {
            *factor = (before - shift).exp();
        }
        let rows = scores.chunks_exact_mut(n).zip(limits);
        for (i, (row, &limit)) in rows.enumerate() {
            let row = visible(row, limit);
            exponentiate(row, shifts[i]);
            running.sums[i] = running.sums[i] * running.factors[i].to_f64() + sum_row(row, row, |x, _| x).to_f64();
        }
    }
}

simd! {
    /// Turns the first `limits[i]` scores of each row of `n` into weights, `exp(x − logsumexp)`, and the others into 0.
    pub(crate) fn weights[T: Float](scores: &mut [T], n: usize, limits: &[usize], logsumexp: &[T]) {
        for ((row, &limit), &logsumexp) in scores.chunks_exact_mut(n).zip(limits).zip(logsumexp) {
            exponentiate(hide(row, limit), shift(logsumexp));
        }
    }
}

simd! {
    pub(crate) fn scale[T: Float](x: &[T], factor: T, y: &mut [T]) {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = factor * x);
    }
}

simd! {
    /// The gradient of the scores, `p (gp − delta)` with a delta for each row of `n`, in place of the weights.
    pub(crate) fn score_gradients[T: Float](p: &mut [T], gp: &[T], n: usize, deltas: &[T]) {
        for ((p, gp), &delta) in p.chunks_exact_mut(n).zip(gp.chunks_exact(n)).zip(deltas) {
            for (p, &gp) in p.iter_mut().zip(gp) {
                *p *= gp - delta;
            }
        }
    }
}

simd! {
    pub(crate) fn dot[T: Float](a: &[T], b: &[T]) -> T {
        sum_row(a, b, |a, b| a * b)
    }
}
