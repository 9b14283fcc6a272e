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
    let done = accumulate_bundles([Operand { x, n, first: 0 }], n, reverse, start, |total, [x]| f(total, x), y);
    let (x, y) = (&x[done..], &mut y[done..]);
    let mut total = start;
    walk(x.len(), n, 1, reverse, |at, first| {
        total = f(if first { start } else { total }, x[at].to_f64());
        y[at] = T::from_f64(total);
    });
}

/// Rows of `n` elements, which belong to the elements of the result from `first` on; beyond them they are continued with ones.
struct Operand<'a, T> {
    x: &'a [T],
    n: usize,
    first: usize,
}

/// Accumulates `f` along rows of `n` elements, as many as are whole bundles; returns the number of their elements. The last operand has a
/// whole row for each.
#[inline(always)]
fn accumulate_bundles<T: Float, const N: usize>(
    operands: [Operand<T>; N],
    n: usize,
    reverse: bool,
    start: f64,
    f: impl Fn(f64, [f64; N]) -> f64,
    y: &mut [T],
) -> usize {
    let bundles = y.chunks_exact_mut(ROWS * n.max(1));
    let done = bundles.len() * ROWS * n;
    for (bundle, y) in bundles.enumerate() {
        let mut totals = [start; ROWS];
        for k in (0..n).step_by(COLUMNS) {
            let width = COLUMNS.min(n - k);
            let left = if reverse { n - k - width } else { k };
            // Rows are often a multiple of 4 KiB apart, where elements displace each other in the cache: they are read and written by lines.
            let mut lines = [[[T::ONE; COLUMNS]; ROWS]; N];
            for (lines, Operand { x, n, first }) in lines.iter_mut().zip(&operands) {
                let (from, to) = (left.max(*first), (left + width).min(first + n));
                for (row, line) in lines.iter_mut().enumerate() {
                    let x = &x[(bundle * ROWS + row) * n..];
                    line[from - left..to - left].copy_from_slice(&x[from - first..to - first]);
                }
            }
            for step in 0..width {
                let column = if reverse { width - 1 - step } else { step };
                for row in 0..ROWS {
                    let mut terms = [0.0; N];
                    for (term, lines) in terms.iter_mut().zip(&lines) {
                        *term = lines[row][column].to_f64();
                    }
                    totals[row] = f(totals[row], terms);
                    lines[N - 1][row][column] = T::from_f64(totals[row]);
                }
            }
            for (line, y) in lines[N - 1].iter().zip(y.chunks_exact_mut(n)) {
                y[left..][..width].copy_from_slice(&line[..width]);
            }
        }
    }
    done
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
        let mut done = 0;
        if inner == 1 {
            let a = Operand { x: a, n: n - 1, first: usize::from(!reverse) };
            // The first element, which no element of `a` belongs to, is 1 · −0 + b: b also if that is −0.
            done = accumulate_bundles([a, Operand { x: b, n, first: 0 }], n, reverse, -0.0, |y, [a, b]| a * y + b, y);
        }
        let (a, b, y) = (&a[done / n * (n - 1) * inner..], &b[done..], &mut y[done..]);
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
