//! The exponential function and the logarithm of an `f64` for functions of `f32`: formulas of several steps round only their result,
//! also where it is a small difference.

use crate::kernel::transcendental::polynomial;
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

/// 1.5 · 2⁵²: a sum with it has the nearest integer to the other term in its low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Bits of 1.0, and the number of those of a fraction.
const ONE: u64 = 1.0f64.to_bits();
const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
/// 2⁵², a sum with which has a smaller integer in its low bits.
const INTEGER: f64 = (1u64 << FRACTION) as f64;

/// eˣ = 2ⁿ eʳ, with a relative error below 10⁻¹³; |x| is limited to 700, where the power is near the ends of the range.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    // The comparisons, unlike `min` and `max`, keep a NaN.
    let x = if x > 700.0 { 700.0 } else { x };
    let x = if x < -700.0 { -700.0 } else { x };
    let shifted = ROUND + x * LOG2_E;
    let n = shifted - ROUND;
    let r = x - n * LN_2;
    let coefficients = [
        2.761_756_701_668_493e-6,
        2.486_787_263_452_208_4e-5,
        1.984_122_459_630_670_8e-4,
        1.388_883_910_688_638e-3,
        8.333_333_344_204_186e-3,
        4.166_666_678_627_901e-2,
        1.666_666_666_666_258_6e-1,
        4.999_999_999_995_51e-1,
    ];
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    (1.0 + (r + r * r * polynomial(r, coefficients))) * power
}

/// ln x of a positive normal number, with a relative error below 10⁻¹³: x = 2ᵏ m with √½ ≤ m < √2, and ln m = 2 artanh s with
/// s = (m − 1)/(m + 1).
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    // k with the bias of an exponent.
    let exponent = bits.wrapping_add(ONE).wrapping_sub(FRAC_1_SQRT_2.to_bits()) >> FRACTION;
    let m = f64::from_bits(bits.wrapping_sub(exponent << FRACTION).wrapping_add(ONE));
    let k = f64::from_bits(exponent | INTEGER.to_bits()) - (INTEGER + 1023.0);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let coefficients =
        [1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0].map(|c: f64| 2.0 * c);
    k * LN_2 + (2.0 * s + s * z * polynomial(z, coefficients))
}
