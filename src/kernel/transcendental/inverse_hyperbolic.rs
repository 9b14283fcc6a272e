//! Inverse hyperbolic functions.

/// By double precision, in which the numbers of `f32` neither overflow when squared nor lose what matters in sums with 1.
pub(crate) mod single {
    use crate::kernel::transcendental::double;

    /// Below this, asinh x and atanh x are x.
    const NEAR: f32 = 1e-4;

    /// ln x for x ≥ 1 and infinity.
    #[inline(always)]
    fn ln(x: f64) -> f64 {
        if x < f64::INFINITY { double::ln(x) } else { x }
    }

    /// asinh x = ±ln(|x| + √(x² + 1)).
    #[inline(always)]
    pub(crate) fn asinh(x: f32) -> f32 {
        let a = f64::from(x.abs());
        let y = ln(a + (a * a + 1.0).sqrt()) as f32;
        if x.abs() < NEAR { x } else { y.copysign(x) }
    }

    /// acosh x = ln(x + √(x² − 1)).
    #[inline(always)]
    pub(crate) fn acosh(x: f32) -> f32 {
        let x = if x < 1.0 { f64::NAN } else { f64::from(x) };
        ln(x + ((x - 1.0) * (x + 1.0)).sqrt()) as f32
    }

    /// atanh x = ±½ ln((1 + |x|)/(1 − |x|)).
    #[inline(always)]
    pub(crate) fn atanh(x: f32) -> f32 {
        let a = if x.abs() > 1.0 { f64::NAN } else { f64::from(x.abs()) };
        let y = (0.5 * ln((1.0 + a) / (1.0 - a))) as f32;
        if x.abs() < NEAR { x } else { y.copysign(x) }
    }
}

/// The standard library computes these inaccurately near ±1 and not at all for large numbers.
pub(crate) mod double {
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
}
