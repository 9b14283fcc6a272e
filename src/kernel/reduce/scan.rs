//! Scans (cumulative reductions) along the middle axis of `[outer, n, inner]`, forward or in reverse.

use crate::kernel::Float;

/// Calls `step` for the rows of each block in scan order, with the offset of the row and whether it is the first of its block.
#[inline(always)]
fn walk(length: usize, n: usize, inner: usize, reverse: bool, mut step: impl FnMut(usize, bool)) {
    if length == 0 {
        return;
    }
    for block in (0..length).step_by(n * inner) {
        for k in 0..n {
            let row = if reverse { n - 1 - k } else { k };
            step(block + row * inner, k == 0);
        }
    }
}

simd! {
    /// Cumulative results of `f` from `start`, accumulated in double precision in `totals`, which has the length of the inner axis.
    pub(crate) fn accumulate[T: Float, F: Fn(f64, f64) -> f64](
        x: &[T],
        n: usize,
        reverse: bool,
        start: f64,
        f: F,
        totals: &mut [f64],
        y: &mut [T],
    ) {
        let inner = totals.len();
        if inner == 1 {
            return accumulate_rows(x, n, reverse, start, f, y);
        }
        walk(x.len(), n, inner, reverse, |at, first| {
            if first {
                totals.fill(start);
            }
            for ((y, x), total) in y[at..][..inner].iter_mut().zip(&x[at..][..inner]).zip(&mut *totals) {
                *total = f(*total, x.to_f64());
                *y = T::from_f64(*total);
            }
        });
    }
}

/// Rows that are accumulated side by side: each sum of a row waits for the one before.
const ROWS: usize = 8;
/// Elements of a row that are accumulated at a time.
const COLUMNS: usize = 16;

/// [`accumulate`] of rows.
#[inline(always)]
fn accumulate_rows<T: Float>(x: &[T], n: usize, reverse: bool, start: f64, f: impl Fn(f64, f64) -> f64, y: &mut [T]) {
    let size = ROWS * n.max(1);
    let bundled = x.len() - x.len() % size;
    let ((bundles_x, x), (bundles_y, y)) = (x.split_at(bundled), y.split_at_mut(bundled));
    for (y, x) in bundles_y.chunks_exact_mut(size).zip(bundles_x.chunks_exact(size)) {
        let mut totals = [start; ROWS];
        for k in (0..n).step_by(COLUMNS) {
            let width = COLUMNS.min(n - k);
            let left = if reverse { n - k - width } else { k };
            // Rows are often a multiple of 4 KiB apart, where elements displace each other in the cache: they are read and written by lines.
            let mut lines = [[T::ZERO; COLUMNS]; ROWS];
            for (line, x) in lines.iter_mut().zip(x.chunks_exact(n)) {
                line[..width].copy_from_slice(&x[left..][..width]);
            }
            for step in 0..width {
                let column = if reverse { width - 1 - step } else { step };
                for (line, total) in lines.iter_mut().zip(&mut totals) {
                    *total = f(*total, line[column].to_f64());
                    line[column] = T::from_f64(*total);
                }
            }
            for (line, y) in lines.iter().zip(y.chunks_exact_mut(n)) {
                y[left..][..width].copy_from_slice(&line[..width]);
            }
        }
    }
    let mut total = start;
    walk(x.len(), n, 1, reverse, |at, first| {
        total = f(if first { start } else { total }, x[at].to_f64());
        y[at] = T::from_f64(total);
    });
}

/// Cumulative logsumexps: `y[k] = ln(exp x[0] + … + exp x[k])`. For each position of the inner axis, `largest` keeps the largest
/// term m, and `sums` keeps Σ exp(x − m) in double precision.
#[inline(never)]
pub(crate) fn logcumsumexp<T: Float>(
    x: &[T],
    n: usize,
    inner: usize,
    largest: &mut [T],
    sums: &mut [f64],
    y: &mut [T],
) {
    walk(x.len(), n, inner, false, |at, first| {
        if first {
            largest.fill(T::NEG_INFINITY);
            sums.fill(0.0);
        }
        let terms = y[at..][..inner].iter_mut().zip(&x[at..][..inner]);
        for ((y, &x), (largest, sum)) in terms.zip(largest.iter_mut().zip(&mut *sums)) {
            if x > *largest {
                *sum = *sum * (*largest - x).to_f64().exp() + 1.0;
                *largest = x;
            } else {
                // The difference of two equal infinities is NaN.
                *sum += if x == *largest { 1.0 } else { (x - *largest).exp().to_f64() };
            }
            *y = *largest + T::from_f64(*sum).ln();
        }
    });
}

simd! {
    /// `y[k] = a[k − 1] y[k − 1] + b[k]`, or in reverse `y[k] = a[k] y[k + 1] + b[k]`; a has n − 1 positions. `last`, of the length
    /// of the inner axis, keeps y in double precision.
    pub(crate) fn recurrence[T: Float](
        a: &[T],
        b: &[T],
        n: usize,
        inner: usize,
        reverse: bool,
        last: &mut [f64],
        y: &mut [T],
    ) {
        walk(b.len(), n, inner, reverse, |at, first| {
            if first {
                last.iter_mut().zip(&b[at..]).for_each(|(last, b)| *last = b.to_f64());
                return y[at..][..inner].copy_from_slice(&b[at..][..inner]);
            }
            // A block of `a` is one row shorter than one of `b`.
            let link = at - at / (n * inner) * inner - if reverse { 0 } else { inner };
            let terms = a[link..][..inner].iter().zip(&b[at..][..inner]);
            for ((y, last), (a, b)) in y[at..][..inner].iter_mut().zip(&mut *last).zip(terms) {
                *last = a.to_f64() * *last + b.to_f64();
                *y = T::from_f64(*last);
            }
        });
    }
}
