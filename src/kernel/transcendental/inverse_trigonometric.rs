//! Inverse trigonometric functions.

use crate::kernel::transcendental::polynomial;
use std::f32::consts::{FRAC_PI_2, PI};

/// What is missing from the `f32` nearest to π/2, and to π.
const REST_OF_FRAC_PI_2: f32 = -4.371_139e-8;
const REST_OF_PI: f32 = 2.0 * REST_OF_FRAC_PI_2;

/// Of s = |x|, or √((1 − |x|)/2) if that is smaller: s and arcsin s − s.
#[inline(always)]
fn arc_sine(x: f32) -> (f32, f32) {
    let a = x.abs();
    let z = if a > 0.5 { 0.5 * (1.0 - a) } else { a * a };
    let s = if a > 0.5 { z.sqrt() } else { a };
    let coefficients = [4.215_838_8e-2, 2.418_474_3e-2, 4.546_915_4e-2, 7.495_309_4e-2, 1.666_675_2e-1];
    (s, s * (z * polynomial(z, coefficients)))
}

/// arcsin x, which is ±(π/2 − 2 arcsin s) for |x| > ½.
#[inline(always)]
pub(crate) fn asin(x: f32) -> f32 {
    let (s, rest) = arc_sine(x);
    // The first difference rounds little.
    let far = (FRAC_PI_2 - 2.0 * s) - (2.0 * rest - REST_OF_FRAC_PI_2);
    (if x.abs() > 0.5 { far } else { s + rest }).copysign(x)
}

/// arccos x, which is 2 arcsin s for x > ½, and π minus that for x < −½.
#[inline(always)]
pub(crate) fn acos(x: f32) -> f32 {
    let (s, rest) = arc_sine(x);
    let y = s + rest;
    if x > 0.5 {
        2.0 * y
    } else if x < -0.5 {
        PI - (2.0 * y - REST_OF_PI)
    } else {
        FRAC_PI_2 - (y.copysign(x) - REST_OF_FRAC_PI_2)
    }
}

/// arctan t for 0 ≤ t ≤ 1.
#[inline(always)]
fn arc_tangent(t: f32) -> f32 {
    let z = t * t;
    let coefficients = [
        2.920_082_8e-3,
        -1.636_471_2e-2,
        4.320_584e-2,
        -7.551_685e-2,
        1.066_576_9e-1,
        -1.421_100_2e-1,
        1.999_376_7e-1,
        -3.333_315_3e-1,
    ];
    t + t * (z * polynomial(z, coefficients))
}

/// arctan x = ±(π/2 − arctan 1/|x|) for |x| > 1.
#[inline(always)]
pub(crate) fn atan(x: f32) -> f32 {
    atan2(x, 1.0)
}

/// The angle of the point (x, y).
#[inline(always)]
pub(crate) fn atan2(y: f32, x: f32) -> f32 {
    let (a, b) = (x.abs(), y.abs());
    let steep = b > a;
    let (small, large) = if steep { (a, b) } else { (b, a) };
    // 0/0 is 0 and ∞/∞ is 1.
    let t = if small == large { f32::from(large > 0.0) } else { small / large };
    let angle = arc_tangent(t);
    let angle = if steep { FRAC_PI_2 - (angle - REST_OF_FRAC_PI_2) } else { angle };
    let angle = if x.is_sign_negative() { PI - angle } else { angle };
    angle.copysign(y)
}
