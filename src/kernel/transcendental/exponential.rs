//! Exponential and hyperbolic functions.

use crate::kernel::transcendental::{LN_2, double, power_of_two};

/// 1.5 · 2²³: a sum with it has the nearest integer to the other term in its low bits.
const ROUND: f32 = 12_582_912.0;

/// n and r of x = n ln 2 + r with |r| ≤ ln 2 / 2.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    ((shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32), r)
}

/// eʳ − 1 for |r| ≤ ln 2 / 2, in few steps that wait for each other.
#[inline(always)]
fn exp_m1_of_rest(r: f32) -> f32 {
    let square = r * r;
    let low = 1.666_652_1e-1 * r + 4.999_999_4e-1;
    let high = 8.368_718e-3 * r + 4.166_839e-2;
    r + square * (low + square * (high + square * 1.381_459_6e-3))
}

/// eˣ = 2ⁿ eʳ.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // The result is ∞ or 0 beyond. The comparisons, unlike `clamp`, keep a NaN.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (n, r) = reduce(x);
    // In two factors, because n goes from −150 to 128.
    (1.0 + exp_m1_of_rest(r)) * power_of_two(n >> 1) * power_of_two(n - (n >> 1))
}

/// exp(−x − rest) for x ≥ 0 and a small rest.
#[inline(always)]
pub(crate) fn exp_neg(x: f32, rest: f32) -> f32 {
    // The result is 0 beyond.
    bounded_exp_neg(if x > 104.0 { 104.0 } else { x }, rest)
}

/// [`exp_neg`] for x ≤ 130.
#[inline(always)]
fn bounded_exp_neg(x: f32, rest: f32) -> f32 {
    const SHIFT: i32 = 64;
    let (n, r) = reduce(-x);
    // 2ⁿ⁺⁶⁴ is not subnormal.
    (1.0 + exp_m1_of_rest(r - rest)) * power_of_two(n + SHIFT) * power_of_two(-SHIFT)
}

/// exp(−c x²) for a power of two c.
#[inline(always)]
pub(crate) fn gaussian(x: f32, c: f32) -> f32 {
    // The result is 0 beyond.
    let bound = if c < 1.0 { 14.6 } else { 10.4 };
    bounded_gaussian(if x.abs() > bound { bound } else { x.abs() }, c)
}

/// [`gaussian`] for x ≥ 0 with c x² ≤ 130.
///
/// The exponential would amplify the rounding error of a square, so it is taken of `high²`, which is exact, and the rest.
#[inline(always)]
pub(super) fn bounded_gaussian(x: f32, c: f32) -> f32 {
    let high = f32::from_bits(x.to_bits() & !0xfff);
    bounded_exp_neg(c * (high * high), c * ((x - high) * (x + high)))
}

/// eˣ − 1 = 2 ((2ⁿ⁻¹ − ½) + 2ⁿ⁻¹ (eʳ − 1)): 2ⁿ itself would overflow for the largest x, where n is 128.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    let y = if x > 89.0 { 89.0 } else { x };
    let y = if y < -18.0 { -18.0 } else { y };
    let (n, r) = reduce(y);
    let half = power_of_two(n - 1);
    let y = 2.0 * ((half - 0.5) + half * exp_m1_of_rest(r));
    // Near 0 the halves would lose a bit of a subnormal number, and the sign of −0.
    if x.abs() < 1e-9 { x } else { y }
}

/// tanh x = (e²ˣ − 1)/(e²ˣ + 1).
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    // The result is 1 beyond.
    let a = if a > 10.0 { 10.0 } else { a };
    let (n, r) = reduce(2.0 * a);
    let power = power_of_two(n);
    let y = (power - 1.0) + power * exp_m1_of_rest(r);
    (y / (y + 2.0)).copysign(x)
}

/// sinh x = ±(eˣ − e⁻ˣ)/2.
#[inline(always)]
pub(crate) fn sinh(x: f32) -> f32 {
    let e = double::exp(f64::from(x.abs()));
    let y = (0.5 * (e - 1.0 / e)) as f32;
    // Near 0 the difference has few digits.
    if x.abs() < 1e-4 { x } else { y.copysign(x) }
}

/// cosh x = (eˣ + e⁻ˣ)/2.
#[inline(always)]
pub(crate) fn cosh(x: f32) -> f32 {
    let e = double::exp(f64::from(x));
    (0.5 * (e + 1.0 / e)) as f32
}
