//! The error function and its complement.

use crate::kernel::transcendental::polynomial;
use std::f64::consts::{LN_2, LOG2_E};

/// From here on, where it is ¼, the complement is computed directly.
const FAR: f32 = 0.8;

/// 1.5 · 2⁵²: a sum with it has the nearest integer to the other term in its low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// erf(x)/x − 1 for |x| < [`FAR`].
#[inline(always)]
fn near(x: f32) -> f32 {
    let coefficients = [-6.571_181e-4, 5.091_210_4e-3, -2.682_449_5e-2, 1.128_320_8e-1, -3.761_261e-1, 1.283_791_7e-1];
    polynomial(x * x, coefficients)
}

/// erfc x = exp(−x²) t p(t) with t = 1/(x + 2), for x ≥ [`FAR`].
///
/// Computed in double precision, because the exponential amplifies the error of x².
#[inline(always)]
fn far(x: f32) -> f32 {
    // The result is 0 beyond. The comparison, unlike `min`, keeps a NaN.
    let x = f64::from(if x > 10.5 { 10.5 } else { x });
    let square = x * x;
    let shifted = ROUND - square * LOG2_E;
    let n = shifted - ROUND;
    let r = -square - n * LN_2;
    let p = polynomial(r, [1.395_049_114e-3, 8.368_889_363e-3, 4.166_620_58e-2, 1.666_651_884e-1, 5.000_000_095e-1]);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let t = 1.0 / (x + 2.0);
    let coefficients = [
        -25.084_382_38,
        65.111_730_5,
        -57.744_703_58,
        16.443_179,
        -0.671_634_118_3,
        3.242_155_977,
        1.942_202_03,
        1.129_779_68,
        0.564_163_732_8,
    ];
    ((1.0 + (r + r * r * p)) * power * (t * polynomial(t, coefficients))) as f32
}

/// erf x = 2/√π ∫₀ˣ exp(−t²) dt.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let a = x.abs();
    if a < FAR { x + x * near(x) } else { (1.0 - far(a)).copysign(x) }
}

/// erfc x = 1 − erf x.
#[inline(always)]
pub(crate) fn erfc(x: f32) -> f32 {
    let a = x.abs();
    let far = far(a);
    let far = if x < 0.0 { 2.0 - far } else { far };
    if a < FAR { (1.0 - x) - x * near(x) } else { far }
}
