//! Transcendental functions of `f32` without branches, so that loops over them are vectorized.
//!
//! The polynomials are minimax fits made for this crate. No multiplication and addition is fused, so the bits are the same for
//! every vector width and on every machine. The largest errors in units in the last place, over all numbers including
//! subnormal ones, are at most:
//!
//! | exp | exp_m1 | tanh | ln | ln_1p | erf | erfc | sin | cos | tan | asin | acos | atan | sinh, cosh, asinh, acosh, atanh |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | 0.99 | 1.55 | 2.60 | 1.26 | 1.53 | 0.65 | 0.65 | 1.55 | 1.55 | 0.51 | 2.10 | 1.20 | 1.75 | 0.51 |
//!
//! `f64` uses the functions of the standard library and of `libm`: at that precision the longer polynomials cost what vectors
//! would save. Only the inverse hyperbolic functions are this crate's in both precisions.

use crate::kernel::Float;

mod double;
mod error_function;
mod exponential;
pub(crate) mod inverse_hyperbolic;
mod inverse_trigonometric;
mod logarithm;
pub(crate) mod normal;
mod power;
mod trigonometric;

pub(crate) use error_function::{erf, erfc};
pub(crate) use exponential::{cosh, exp, exp_m1, exp_neg, gaussian, sinh, tanh};
pub(crate) use inverse_hyperbolic::single::{acosh, asinh, atanh};
pub(crate) use inverse_trigonometric::{acos, asin, atan, atan2};
pub(crate) use logarithm::{ln, ln_1p};
pub(crate) use normal::single::{normal_tail, normal_tail_slope};
pub(crate) use power::{hypot, powf};
pub(crate) use trigonometric::{cos, sin, tan};

/// ln 2 as a sum of two; the first has few enough bits that its products with small integers are exact.
const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];

/// A polynomial by Horner's scheme, the highest coefficient first.
#[inline(always)]
fn polynomial<T: Float, const N: usize>(x: T, coefficients: [T; N]) -> T {
    let (highest, rest) = (coefficients[0], &coefficients[1..]);
    rest.iter().fold(highest, |sum, &c| sum * x + c)
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI};

    /// Checks numbers of every sign and exponent against a bound in units in the last place.
    fn check(name: &str, f: fn(f32) -> f32, exact: fn(f64) -> f64, bound: f64) {
        for bits in (0..=u32::MAX).step_by(1009) {
            let x = f32::from_bits(bits);
            let (y, exact) = (f(x), exact(f64::from(x)));
            let rounded = exact as f32;
            if rounded.is_finite() && y.is_finite() {
                let unit = f64::from(rounded.abs().next_up() - rounded.abs());
                let error = (f64::from(y) - exact).abs() / unit;
                assert!(error < bound, "{name}({x:e}) = {y:e}, not {exact:e}: {error} units");
            } else {
                assert!(y == rounded || (y.is_nan() && rounded.is_nan()), "{name}({x:e}) = {y:e}, not {rounded:e}");
            }
        }
    }

    /// [`check`] for pairs of numbers, among them all of special ones, whose results also have the right sign.
    fn check_two(name: &str, f: fn(f32, f32) -> f32, exact: fn(f64, f64) -> f64, bound: f64) {
        let special = [0.0, 1e-40, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 1e9, 1e38, f32::INFINITY, f32::NAN];
        let mut numbers: Vec<f32> = special.iter().flat_map(|&x| [x, -x]).collect();
        numbers.extend((0..=u32::MAX).step_by(9_999_991).map(f32::from_bits));
        for &a in &numbers {
            for &b in &numbers {
                let (y, exact) = (f(a, b), exact(a.into(), b.into()));
                let rounded = exact as f32;
                let sign = y.is_sign_negative() == rounded.is_sign_negative();
                let unit = f64::from(rounded.abs().next_up() - rounded.abs());
                let near = y == rounded || (f64::from(y) - exact).abs() <= bound * unit;
                let right = if rounded.is_nan() { y.is_nan() } else { sign && near };
                assert!(right, "{name}({a:e}, {b:e}) = {y:e}, not {exact:e}");
            }
        }
    }

    #[test]
    fn errors_stay_below_the_bound() {
        check("exp", exp, f64::exp, 0.99);
        check("exp_m1", exp_m1, f64::exp_m1, 1.55);
        check("tanh", tanh, f64::tanh, 2.60);
        check("ln", ln, f64::ln, 1.26);
        check("ln_1p", ln_1p, f64::ln_1p, 1.53);
        check("erf", erf, libm::erf, 0.65);
        check("erfc", |x| erfc(f64::from(x)) as f32, libm::erfc, 0.65);
        check("sin", sin, f64::sin, 1.55);
        check("cos", cos, f64::cos, 1.55);
        check("tan", tan, f64::tan, 0.51);
        check("asin", asin, f64::asin, 2.10);
        check("acos", acos, f64::acos, 1.20);
        check("atan", atan, f64::atan, 1.75);
        check("sinh", sinh, f64::sinh, 0.51);
        check("cosh", cosh, f64::cosh, 0.51);
        check("asinh", asinh, inverse_hyperbolic::double::asinh, 0.51);
        check("acosh", acosh, inverse_hyperbolic::double::acosh, 0.51);
        check("atanh", atanh, inverse_hyperbolic::double::atanh, 0.51);
    }

    #[test]
    fn functions_of_two_are_those_of_the_standard_library() {
        check_two("powf", powf, f64::powf, 0.51);
        check_two("hypot", hypot, f64::hypot, 0.51);
        check_two("atan2", atan2, f64::atan2, 1.75);
    }

    #[test]
    fn signs_of_zero_and_limits_are_kept() {
        const INFINITY: f32 = f32::INFINITY;
        let kept = [("exp_m1", exp_m1 as fn(f32) -> f32), ("tanh", tanh), ("ln_1p", ln_1p), ("erf", erf), ("sin", sin)];
        let inverse = [("asin", asin as fn(f32) -> f32), ("atan", atan), ("asinh", asinh), ("atanh", atanh)];
        for (name, f) in kept.into_iter().chain(inverse).chain([("tan", tan as fn(f32) -> f32), ("sinh", sinh)]) {
            for zero in [0.0, -0.0] {
                assert_eq!(f(zero).to_bits(), zero.to_bits(), "{name}({zero:?})");
            }
        }
        assert_eq!([-INFINITY, 0.0, INFINITY].map(exp), [0.0, 1.0, INFINITY]);
        assert_eq!([-INFINITY, INFINITY].map(exp_m1), [-1.0, INFINITY]);
        assert_eq!([-INFINITY, INFINITY].map(tanh), [-1.0, 1.0]);
        assert_eq!([0.0, 1.0, INFINITY].map(ln), [-INFINITY, 0.0, INFINITY]);
        assert_eq!([-1.0, INFINITY].map(ln_1p), [-INFINITY, INFINITY]);
        assert_eq!([-INFINITY, INFINITY].map(erf), [-1.0, 1.0]);
        assert_eq!([f64::NEG_INFINITY, 0.0, f64::INFINITY].map(|x| erfc(x) as f32), [2.0, 1.0, 0.0]);
        assert_eq!(cos(0.0), 1.0);
        assert_eq!([-1.0, 1.0].map(asin), [-FRAC_PI_2, FRAC_PI_2]);
        assert_eq!([-1.0, 0.0, 1.0].map(acos), [PI, FRAC_PI_2, 0.0]);
        assert_eq!([-INFINITY, 1.0, INFINITY].map(atan), [-FRAC_PI_2, FRAC_PI_4, FRAC_PI_2]);
        assert_eq!([-INFINITY, INFINITY].map(sinh), [-INFINITY, INFINITY]);
        assert_eq!([-INFINITY, 0.0, INFINITY].map(cosh), [INFINITY, 1.0, INFINITY]);
        assert_eq!([-INFINITY, INFINITY].map(asinh), [-INFINITY, INFINITY]);
        assert_eq!([1.0, INFINITY].map(acosh), [0.0, INFINITY]);
        assert_eq!([-1.0, 1.0].map(atanh), [-INFINITY, INFINITY]);
        let outside =
            [sin(INFINITY), cos(INFINITY), tan(INFINITY), asin(1.1), acos(-1.1), acosh(0.9), atanh(1.1), atanh(-1.1)];
        assert!(outside.iter().all(|y| y.is_nan()));
    }
}
