//! The error function and its complement.

use crate::kernel::transcendental::double::exp;
use crate::kernel::transcendental::polynomial;

/// From here on, where it is ¼, the complement is computed directly.
const FAR: f64 = 0.8;

/// erf(x)/x − 1 for |x| < [`FAR`], with the precision of `f64`: the derivative of gelu has its zero here.
#[inline(always)]
fn near(x: f64) -> f64 {
    let coefficients = [
        1.239_473_512_276_96e-6,
        -1.446_177_343_031_064_7e-5,
        1.202_605_666_482_712_3e-4,
        -8.547_238_695_329_614e-4,
        5.223_953_730_454_675e-3,
        -2.686_616_768_855_153_5e-2,
        1.128_379_165_258_963_4e-1,
        -3.761_263_890_274_379_5e-1,
        1.283_791_670_954_952e-1,
    ];
    polynomial(x * x, coefficients)
}

/// erfc x = exp(−x²) t p(t) with t = 1/(x + 2), for x ≥ [`FAR`].
#[inline(always)]
fn far(x: f64) -> f64 {
    // The comparison, unlike `min`, keeps a NaN.
    let x = if x > 26.0 { 26.0 } else { x };
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
    exp(-x * x) * (t * polynomial(t, coefficients))
}

/// erf x = 2/√π ∫₀ˣ exp(−t²) dt.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let x = f64::from(x);
    let a = x.abs();
    (if a < FAR { x + x * near(x) } else { (1.0 - far(a)).copysign(x) }) as f32
}

/// erfc x = 1 − erf x, with the precision of `f32` relative to the result.
#[inline(always)]
pub(crate) fn erfc(x: f64) -> f64 {
    let a = x.abs();
    let far = far(a);
    let far = if x < 0.0 { 2.0 - far } else { far };
    if a < FAR { (1.0 - x) - x * near(x) } else { far }
}
