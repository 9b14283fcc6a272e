//! Softmax and its logarithm along the middle axis of `[outer, n, inner]`, without overflow.
//!
//! The largest score is taken off first. What is left is never subtracted from a number of the size
//! of the scores again, so the result is as exact for scores around 10⁴ as for scores around 0.

use super::{Float, reduce};

/// Exponentials that are computed in one go.
pub(super) const LANES: usize = 16;

/// What a kernel computes from the scores: probabilities, or their logarithms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Probabilities,
    Logarithms,
}

/// The largest of some scores, or 0 if it is infinite, so that nothing but scores of −∞ alone gives NaN.
#[inline(always)]
pub(super) fn shift<T: Float>(largest: T) -> T {
    if largest.is_finite() || largest.is_nan() { largest } else { T::ZERO }
}

simd! {
    /// `y = eˣ/Σeˣ`, or its logarithm, along the middle axis; `scratch` has twice the length of the inner axis.
    pub(crate) fn softmax[T: Float](x: &[T], n: usize, inner: usize, output: Output, scratch: &mut [T], y: &mut [T]) {
        if n == 0 || inner == 0 {
            return;
        }
        for (y, x) in y.chunks_exact_mut(n * inner).zip(x.chunks_exact(n * inner)) {
            if inner == 1 {
                row(x, output, y);
            } else {
                columns(x, inner, output, scratch, y);
            }
        }
    }
}

/// exp(x − shift) of up to [`LANES`] scores. Rows are often short: filled up with e^−∞ = 0 they still make a vector.
#[inline(always)]
pub(super) fn powers<T: Float>(x: &[T], shift: T) -> [T; LANES] {
    let mut powers = [T::NEG_INFINITY; LANES];
    powers.iter_mut().zip(x).for_each(|(power, &x)| *power = x - shift);
    // Not `powers.map`, which becomes a function of its own, for the base processor.
    for power in &mut powers {
        *power = power.exp();
    }
    powers
}

#[inline(always)]
fn row<T: Float>(x: &[T], output: Output, y: &mut [T]) {
    let shift = shift(x.iter().fold(T::NEG_INFINITY, |largest, &x| largest.maximum(x)));
    let mut sum = T::ZERO;
    for (y, x) in y.chunks_mut(LANES).zip(x.chunks(LANES)) {
        let powers = powers(x, shift);
        sum = powers.iter().fold(sum, |sum, &power| sum + power);
        y.copy_from_slice(&powers[..y.len()]);
    }
    match output {
        Output::Probabilities => y.iter_mut().for_each(|y| *y /= sum),
        Output::Logarithms => {
            let log = sum.ln();
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - shift) - log);
        }
    }
}

#[inline(always)]
fn columns<T: Float>(x: &[T], inner: usize, output: Output, scratch: &mut [T], y: &mut [T]) {
    let (shifts, sums) = scratch.split_at_mut(inner);
    shift_and_sum(x, inner, shifts, sums);
    for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
        for (((y, &x), &shift), &sum) in y.iter_mut().zip(x).zip(&*shifts).zip(&*sums) {
            *y = match output {
                Output::Probabilities => (x - shift).exp() / sum,
                Output::Logarithms => (x - shift) - sum.ln(),
            };
        }
    }
}

/// The shift and Σ exp(x − shift) of each column of `[n, inner]`.
#[inline(always)]
pub(super) fn shift_and_sum<T: Float>(x: &[T], inner: usize, shifts: &mut [T], sums: &mut [T]) {
    reduce::fold(x, x.len() / inner, inner, shifts, T::NEG_INFINITY, T::maximum);
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
        for (k, y) in y.iter_mut().enumerate() {
            let x = &x[k * n..(k + 1) * n];
            let shift = shift(x.iter().fold(T::NEG_INFINITY, |largest, &x| largest.maximum(x)));
            *y = x.iter().fold(T::ZERO, |sum, &x| sum + (x - shift).exp()).ln() + shift;
        }
    }
}
