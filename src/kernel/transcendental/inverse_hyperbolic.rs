//! Inverse hyperbolic functions, which the standard library computes inaccurately near ±1 and not at all for large numbers.

use std::f64::consts::LN_2;

/// From here on √(x² ± 1) is x.
const FAR: f64 = 1e9;

/// asinh x = ±ln(|x| + √(x² + 1)).
pub(crate) fn asinh(x: f64) -> f64 {
    let a = x.abs();
    let y = if a > FAR { a.ln() + LN_2 } else { (a + a * a / (1.0 + (a * a + 1.0).sqrt())).ln_1p() };
    y.copysign(x)
}

/// acosh x = ln(1 + t + √(t (t + 2))) with t = x − 1.
pub(crate) fn acosh(x: f64) -> f64 {
    let t = x - 1.0;
    if t < 0.0 {
        f64::NAN
    } else if x > FAR {
        x.ln() + LN_2
    } else {
        (t + (t * (t + 2.0)).sqrt()).ln_1p()
    }
}

/// atanh x = ±½ ln(1 + 2|x|/(1 − |x|)).
pub(crate) fn atanh(x: f64) -> f64 {
    let a = x.abs();
    (0.5 * (2.0 * a / (1.0 - a)).ln_1p()).copysign(x)
}
