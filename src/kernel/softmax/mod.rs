//! Softmax and its logarithm along the middle axis of `[outer, n, inner]`, without overflow.
//!
//! The largest score is subtracted first, and the differences are never again combined with numbers
//! as large as the scores. So results are as accurate for scores around 10⁴ as for scores around 0.

pub(crate) mod cross_entropy;
mod exponentials;

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};
use crate::kernel::reduce::sum_row;
use exponentials::{
    Bundle, COLUMN_VALUES, Columns, LANES, MAX_TRANSPOSED, bundle_size, is_transposed, transpose_in, transpose_out,
};
pub(crate) use exponentials::{larger, shift};

/// What a kernel computes from the scores.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Probabilities,
    Logarithms,
}

simd! {
    /// [`softmax`] of rows.
    pub(crate) fn softmax_of_rows[T: Float](x: &[T], n: usize, output: Output, y: &mut [T]) {
        let size = bundle_size(n);
        for (y, x) in y.chunks_mut(size).zip(x.chunks(size)) {
            let bundle = Bundle::exp(x, n, y);
            let rows = y.chunks_exact_mut(n).zip(x.chunks_exact(n));
            match output {
                Output::Probabilities => {
                    for ((y, _), &sum) in rows.zip(&bundle.sums) {
                        let factor = T::ONE / sum;
                        y.iter_mut().for_each(|y| *y *= factor);
                    }
                }
                Output::Logarithms => {
                    for ((y, x), (&shift, &log)) in rows.zip(bundle.shifts.iter().zip(&bundle.logs())) {
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - shift) - log);
                    }
                }
            }
        }
    }
}

simd! {
    /// [`softmax`] of the columns of blocks `[n, inner]`.
    pub(crate) fn softmax_of_columns[T: Float](x: &[T], n: usize, output: Output, columns: &mut [T], y: &mut [T]) {
        let mut columns = Columns::new(columns);
        let inner = columns.sums.len();
        for (y, x) in y.chunks_exact_mut(n * inner).zip(x.chunks_exact(n * inner)) {
            columns.exp(x, y);
            match output {
                Output::Probabilities => {
                    columns.sums.iter_mut().for_each(|sum| *sum = T::ONE / *sum);
                    columns.scale(y);
                }
                Output::Logarithms => {
                    columns.sums.iter_mut().for_each(|sum| *sum = sum.ln());
                    for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
                        for ((y, &x), (&shift, &log)) in y.iter_mut().zip(x).zip(columns.shifts.iter().zip(&*columns.sums)) {
                            *y = (x - shift) - log;
                        }
                    }
                }
            }
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
                softmax_of_columns(x, n, output, columns, y)
            });
        }
        if !is_transposed(rows, n) {
            return softmax_of_rows(x, n, output, y);
        }
        let mut transposed = [[T::ZERO; MAX_TRANSPOSED]; 2];
        let [scores, results] = transposed.each_mut().map(|block| &mut block[..n * LANES]);
        for (y, x) in y.chunks_mut(n * LANES).zip(x.chunks(n * LANES)) {
            transpose_in(x, n, scores);
            softmax_of_columns(scores, n, output, &mut [T::ZERO; COLUMN_VALUES * LANES], results);
            transpose_out(results, n, y);
        }
    });
}

simd! {
    /// [`gradient`] of rows.
    pub(crate) fn gradient_of_rows[T: Float](y: &[T], gy: &[T], n: usize, output: Output, gx: &mut [T]) {
        let rows = y.chunks_exact(n).zip(gy.chunks_exact(n));
        for (gx, (y, gy)) in gx.chunks_exact_mut(n).zip(rows) {
            let terms = gx.iter_mut().zip(y.iter().zip(gy));
            match output {
                Output::Probabilities => {
                    let sum = sum_row(y, gy, |y, gy| y * gy);
                    terms.for_each(|(gx, (&y, &gy))| *gx = y * (gy - sum));
                }
                Output::Logarithms => {
                    let sum = sum_row(gy, gy, |gy, _| gy);
                    terms.for_each(|(gx, (&y, &gy))| *gx = gy - y.exp() * sum);
                }
            }
        }
    }
}

simd! {
    /// [`gradient`] of the columns of blocks `[n, inner]`.
    pub(crate) fn gradient_of_columns[T: Float](y: &[T], gy: &[T], n: usize, output: Output, sums: &mut [f64], gx: &mut [T]) {
        let inner = sums.len();
        let blocks = y.chunks_exact(n * inner).zip(gy.chunks_exact(n * inner));
        for (gx, (y, gy)) in gx.chunks_exact_mut(n * inner).zip(blocks) {
            sums.fill(0.0);
            for (y, gy) in y.chunks_exact(inner).zip(gy.chunks_exact(inner)) {
                for (sum, (&y, &gy)) in sums.iter_mut().zip(y.iter().zip(gy)) {
                    *sum += if output == Output::Probabilities { y * gy } else { gy }.to_f64();
                }
            }
            let rows = y.chunks_exact(inner).zip(gy.chunks_exact(inner));
            for (gx, (y, gy)) in gx.chunks_exact_mut(inner).zip(rows) {
                let terms = gx.iter_mut().zip(&*sums).zip(y.iter().zip(gy));
                match output {
                    Output::Probabilities => {
                        terms.for_each(|((gx, &sum), (&y, &gy))| *gx = y * (gy - T::from_f64(sum)));
                    }
                    Output::Logarithms => {
                        terms.for_each(|((gx, &sum), (&y, &gy))| *gx = gy - y.exp() * T::from_f64(sum));
                    }
                }
            }
        }
    }
}

/// `gx = y (gy − Σ gy y)` for probabilities y, `gx = gy − eʸ Σ gy` for logarithms, along the middle axis, in parallel.
#[inline(never)]
pub(crate) fn gradient<T: Float>(y: &[T], gy: &[T], n: usize, inner: usize, output: Output, gx: &mut [T]) {
    if gx.is_empty() {
        return;
    }
    let size = chunk_size(gx.len(), n * inner);
    for_each_chunk(gx, size, |index, gx| {
        let [y, gy] = [y, gy].map(|values| &values[index * size..][..gx.len()]);
        match inner {
            1 => gradient_of_rows(y, gy, n, output, gx),
            _ => with_scratch(inner, |sums: &mut [f64]| gradient_of_columns(y, gy, n, output, sums, gx)),
        }
    });
}

simd! {
    /// [`logsumexp`] of rows of `n` scores; `exponentials`, of the length of a bundle, is overwritten.
    pub(crate) fn logsumexp_of_rows[T: Float](x: &[T], n: usize, exponentials: &mut [T], y: &mut [T]) {
        let size = exponentials.len();
        for (y, x) in y.chunks_mut(size / n).zip(x.chunks(size)) {
            let bundle = Bundle::exp(x, n, exponentials);
            for ((y, &shift), &log) in y.iter_mut().zip(&bundle.shifts).zip(&bundle.logs()) {
                *y = log + shift;
            }
        }
    }
}

simd! {
    /// [`logsumexp`] of [`LANES`] columns.
    pub(crate) fn logsumexp_of_columns[T: Float](x: &[T], exponentials: &mut [T], y: &mut [T]) {
        let mut columns = [T::ZERO; COLUMN_VALUES * LANES];
        let mut columns = Columns::new(&mut columns);
        columns.exp(x, exponentials);
        for ((y, &shift), &sum) in y.iter_mut().zip(&*columns.shifts).zip(&*columns.sums) {
            *y = sum.ln() + shift;
        }
    }
}

/// `y = ln Σ eˣ` along the last axis of `[outer, n]`, in parallel; −∞ if n is 0.
#[inline(never)]
pub(crate) fn logsumexp<T: Float>(x: &[T], n: usize, y: &mut [T]) {
    if n == 0 {
        return y.fill(T::NEG_INFINITY);
    }
    let size = (chunk_size(x.len(), n) / n).next_multiple_of(LANES);
    let rows = y.len();
    for_each_chunk(y, size, |index, y| {
        let x = &x[index * size * n..][..y.len() * n];
        if !is_transposed(rows, n) {
            return with_scratch(bundle_size(n), |exponentials: &mut [T]| logsumexp_of_rows(x, n, exponentials, y));
        }
        let mut transposed = [[T::ZERO; MAX_TRANSPOSED]; 2];
        let [scores, exponentials] = transposed.each_mut().map(|block| &mut block[..n * LANES]);
        for (y, x) in y.chunks_mut(LANES).zip(x.chunks(n * LANES)) {
            transpose_in(x, n, scores);
            logsumexp_of_columns(scores, exponentials, y);
        }
    });
}

simd! {
    /// [`logsumexp_gradient`] of rows.
    pub(crate) fn logsumexp_gradient_of_rows[T: Float](x: &[T], gy: &[T], n: usize, gx: &mut [T]) {
        let size = bundle_size(n);
        for ((gx, x), gy) in gx.chunks_mut(size).zip(x.chunks(size)).zip(gy.chunks(size / n)) {
            let bundle = Bundle::exp(x, n, gx);
            for ((gx, &sum), &gy) in gx.chunks_exact_mut(n).zip(&bundle.sums).zip(gy) {
                let factor = if sum == T::ZERO { T::ZERO } else { gy / sum };
                gx.iter_mut().for_each(|gx| *gx *= factor);
            }
        }
    }
}

/// `gx = gy softmax(x)` along the last axis of `[outer, n]`, in parallel; 0 where all x of a row are −∞.
#[inline(never)]
pub(crate) fn logsumexp_gradient<T: Float>(x: &[T], gy: &[T], n: usize, gx: &mut [T]) {
    if gx.is_empty() {
        return;
    }
    let size = chunk_size(gx.len(), n);
    for_each_chunk(gx, size, |index, gx| {
        let start = index * size;
        logsumexp_gradient_of_rows(&x[start..][..gx.len()], &gy[start / n..], n, gx);
    });
}
