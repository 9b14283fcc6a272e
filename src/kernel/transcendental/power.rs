//! Powers, by way of logarithms and exponentials in double precision.

use crate::kernel::transcendental::{double, polynomial};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

/// Bits of 1.0, and the number of those of a fraction.
const ONE: u64 = 1.0f64.to_bits();
const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
/// 2⁵², a sum with which has a smaller integer in its low bits.
const INTEGER: f64 = (1u64 << FRACTION) as f64;

/// ln x of a positive normal number, with a relative error below 10⁻¹³: x = 2ᵏ m with √½ ≤ m < √2, and ln m = 2 artanh s with
/// s = (m − 1)/(m + 1).
#[inline(always)]
fn ln(x: f64) -> f64 {
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

/// xᵖ, with the special values of IEEE 754.
#[inline(always)]
pub(crate) fn powf(x: f32, p: f32) -> f32 {
    let (size, p) = (f64::from(x.abs()), f64::from(p));
    // A NaN goes through the comparisons and then through the exponential function.
    let log = if size == 0.0 { f64::NEG_INFINITY } else { ln(size) };
    let log = if size < f64::INFINITY { log } else { size };
    let y = double::exp(p * log) as f32;
    let (integer, odd) = (p.floor() == p, (p * 0.5).floor() != p * 0.5);
    let y = if integer && odd { y.copysign(x) } else { y };
    let y = if x < 0.0 && !integer && size < f64::INFINITY { f32::NAN } else { y };
    let one = p == 0.0 || x == 1.0 || (size == 1.0 && p.abs() == f64::INFINITY);
    if one { 1.0 } else { y }
}
