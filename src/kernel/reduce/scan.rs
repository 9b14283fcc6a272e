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

/// The row at an offset, for writing, and the one that precedes it in scan order.
#[inline(always)]
fn rows<T>(y: &mut [T], at: usize, inner: usize, reverse: bool) -> (&mut [T], &[T]) {
    if reverse {
        let (row, before) = y[at..].split_at_mut(inner);
        (row, &before[..inner])
    } else {
        let (before, row) = y[..at + inner].split_at_mut(at);
        (row, &before[at - inner..])
    }
}

simd! {
    /// Cumulative sums, accumulated in double precision in `sums`, which has the length of the inner axis.
    pub(crate) fn cumsum[T: Float](x: &[T], n: usize, inner: usize, reverse: bool, sums: &mut [f64], y: &mut [T]) {
        walk(x.len(), n, inner, reverse, |at, first| {
            if first {
                sums.fill(0.0);
            }
            for ((y, x), sum) in y[at..][..inner].iter_mut().zip(&x[at..][..inner]).zip(&mut *sums) {
                *sum += x.to_f64();
                *y = T::from_f64(*sum);
            }
        });
    }
}

simd! {
    /// `y[k] = f(y[k − 1], x[k])`, `y[0] = x[0]`.
    pub(crate) fn scan[T: Float, F: Fn(T, T) -> T](x: &[T], n: usize, inner: usize, y: &mut [T], f: F) {
        walk(x.len(), n, inner, false, |at, first| {
            if first {
                return y[at..][..inner].copy_from_slice(&x[at..][..inner]);
            }
            let (y, before) = rows(y, at, inner, false);
            for ((y, &before), &x) in y.iter_mut().zip(before).zip(&x[at..][..inner]) {
                *y = f(before, x);
            }
        });
    }
}

simd! {
    /// `y[k] = a[k − 1] y[k − 1] + b[k]`, or in reverse `y[k] = a[k] y[k + 1] + b[k]`; a has n − 1 positions.
    pub(crate) fn recurrence[T: Float](a: &[T], b: &[T], n: usize, inner: usize, reverse: bool, y: &mut [T]) {
        walk(b.len(), n, inner, reverse, |at, first| {
            if first {
                return y[at..][..inner].copy_from_slice(&b[at..][..inner]);
            }
            // A block of `a` is one row shorter than one of `b`.
            let link = at - at / (n * inner) * inner - if reverse { 0 } else { inner };
            let (y, before) = rows(y, at, inner, reverse);
            for (((y, &before), &a), &b) in y.iter_mut().zip(before).zip(&a[link..][..inner]).zip(&b[at..][..inner]) {
                *y = a * before + b;
            }
        });
    }
}
