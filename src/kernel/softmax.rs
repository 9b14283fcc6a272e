//! Softmax and its logarithm along the middle axis of `[outer, n, inner]`, without overflow.

use super::{Float, reduce};

/// Largest element and Σ exp(x − largest) along the middle axis; an infinite largest element counts as 0.
fn shift_and_sum<T: Float>(x: &[T], n: usize, inner: usize, shift: &mut [T], sum: &mut [T]) {
    reduce::fold(x, n, inner, shift, T::NEG_INFINITY, T::maximum);
    sum.fill(T::ZERO);
    for shift in shift.iter_mut().filter(|shift| !shift.is_finite() && !shift.is_nan()) {
        *shift = T::ZERO;
    }
    for (k, x) in x.chunks_exact(inner).enumerate() {
        let at = k / n * inner;
        for ((sum, &shift), &x) in sum[at..at + inner].iter_mut().zip(&shift[at..at + inner]).zip(x) {
            *sum += (x - shift).exp();
        }
    }
}

/// `y = ln Σ exp(x)`; `y` has the shape `[outer, inner]`, and `scratch` the same length.
pub(crate) fn logsumexp<T: Float>(x: &[T], n: usize, inner: usize, scratch: &mut [T], y: &mut [T]) {
    if inner == 0 || n == 0 {
        return y.fill(T::NEG_INFINITY);
    }
    shift_and_sum(x, n, inner, scratch, y);
    for (y, &shift) in y.iter_mut().zip(&*scratch) {
        *y = y.ln() + shift;
    }
}

simd! {
    /// `y = f(x, s)` where `s` is one value for each position outside of the middle axis.
    pub(crate) fn along[T: Float, F: Fn(T, T) -> T](x: &[T], s: &[T], n: usize, inner: usize, y: &mut [T], f: F) {
        if inner == 1 {
            if n == 0 {
                return;
            }
            for ((y, x), &s) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(s) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = f(x, s);
                }
            }
        } else if inner > 1 {
            for (k, (y, x)) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).enumerate() {
                let at = k / n * inner;
                for ((y, &x), &s) in y.iter_mut().zip(x).zip(&s[at..at + inner]) {
                    *y = f(x, s);
                }
            }
        }
    }
}
