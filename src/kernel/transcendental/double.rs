//! The exponential function of an `f64` with the precision of `f32`: formulas of several steps round only their result.

use crate::kernel::transcendental::polynomial;
use std::f64::consts::{LN_2, LOG2_E};

/// 1.5 · 2⁵²: a sum with it has the nearest integer to the other term in its low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// eˣ = 2ⁿ eʳ, with a relative error below 10⁻⁹; |x| is limited to 700, where the power is near the ends of the range.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    // The comparisons, unlike `min` and `max`, keep a NaN.
    let x = if x > 700.0 { 700.0 } else { x };
    let x = if x < -700.0 { -700.0 } else { x };
    let shifted = ROUND + x * LOG2_E;
    let n = shifted - ROUND;
    let r = x - n * LN_2;
    let p = polynomial(r, [1.395_049_114e-3, 8.368_889_363e-3, 4.166_620_58e-2, 1.666_651_884e-1, 5.000_000_095e-1]);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    (1.0 + (r + r * r * p)) * power
}
