//! Exponential functions and the hyperbolic tangent.

use crate::kernel::transcendental::{LN_2, polynomial, power_of_two};

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

/// eʳ − 1 for |r| ≤ ln 2 / 2.
#[inline(always)]
fn exp_m1_of_rest(r: f32) -> f32 {
    r + r * r * polynomial(r, [1.381_459_6e-3, 8.368_718e-3, 4.166_839e-2, 1.666_652_1e-1, 4.999_999_4e-1])
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

/// tanh x = 1 − 2/(e²ˣ + 1), or an odd polynomial near 0.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    let coefficients = [2.147_537e-3, -8.182_674e-3, 2.170_296_8e-2, -5.394_720_3e-2, 1.333_321e-1, -3.333_333e-1];
    let near = a + a * (z * polynomial(z, coefficients));
    let far = 1.0 - 2.0 / (exp(2.0 * a) + 1.0);
    (if a < 0.625 { near } else { far }).copysign(x)
}
