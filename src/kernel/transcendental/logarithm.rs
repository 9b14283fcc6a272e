//! Logarithms.

use crate::kernel::transcendental::{LN_2, polynomial, power_of_two};

/// The bits of √½.
const SQRT_HALF: u32 = 0x3f35_04f3;

/// n and m of x = 2ⁿ m with √½ ≤ m < √2, for a normal x > 0.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    (bits as i32 >> 23, f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF))
}

/// n ln 2 + ln(1 + f) with √½ ≤ 1 + f < √2.
#[inline(always)]
fn join(n: i32, f: f32) -> f32 {
    let n = n as f32;
    let coefficients = [
        6.746_601e-2,
        -1.167_564_1e-1,
        1.188_817_5e-1,
        -1.240_559_1e-1,
        1.421_955e-1,
        -1.666_799_6e-1,
        2.000_212e-1,
        -2.500_001e-1,
        3.333_333e-1,
    ];
    let rest = f * f * f * polynomial(f, coefficients) + n * LN_2[1] - 0.5 * f * f;
    (f + rest) + n * LN_2[0]
}

/// ln x = ln(1 + f) + n ln 2.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let (n, m) = split(if subnormal { x * 8_388_608.0 } else { x });
    let y = join(n - if subnormal { 23 } else { 0 }, m - 1.0);
    let y = if x < f32::INFINITY { y } else { x };
    if x > 0.0 {
        y
    } else if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        f32::NAN
    }
}

/// ln(1 + x); the rounding error of the sum 1 + x is added to f.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    // The error is 0 for sums beyond 2¹²⁶, so the power of two may be limited there.
    let lost = x - (sum - 1.0);
    let (n, m) = split(sum);
    let y = join(n, (m - 1.0) + lost * power_of_two(-n.min(126)));
    let y = if x < f32::INFINITY && x != 0.0 { y } else { x };
    if x > -1.0 {
        y
    } else if x == -1.0 {
        f32::NEG_INFINITY
    } else {
        f32::NAN
    }
}
