//! Exponential, logarithm and hyperbolic tangent of an `f32` without branches, so that loops over them run in vectors.
//!
//! The polynomials are minimax fits of this crate's own. Nothing is fused, so the bits are the same for every vector width and
//! on every machine. The results are within 1.3 units in the last place (the exponential 1, the logarithm 1.2), for subnormal
//! numbers, infinities and NaN too, as the tests check. For `f64` the functions of the standard library stay: their precision takes more terms than vectors save.

/// ln 2 in two parts, of which the first has so few bits that its products with small whole numbers are exact.
const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];

/// Adding it leaves the nearest whole number in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Horner's scheme, the highest coefficient first.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients.into_iter().fold(0.0, |sum, c| sum * x + c)
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// eˣ = 2ⁿ eʳ with |r| ≤ ln 2 / 2.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Beyond these it is ∞ and 0. The comparisons leave NaN as it is.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let p = polynomial(r, [1.381_459_6e-3, 8.368_718e-3, 4.166_839e-2, 1.666_652_1e-1, 4.999_999_4e-1]);
    let y = 1.0 + (r + r * r * p);
    // In two steps, because n reaches −150 and 128.
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32).clamp(-150, 129);
    y * power_of_two(n >> 1) * power_of_two(n - (n >> 1))
}

/// ln x = ln(1 + f) + n ln 2 with √½ ≤ 1 + f < √2.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits().wrapping_sub(SQRT_HALF);
    let n = ((bits as i32 >> 23) - if subnormal { 23 } else { 0 }) as f32;
    let f = f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF) - 1.0;
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
    let y = (f + rest) + n * LN_2[0];
    let y = if x < f32::INFINITY { y } else { x };
    if x > 0.0 {
        y
    } else if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        f32::NAN
    }
}

/// tanh x = 1 − 2/(e²ˣ + 1), near 0 an odd polynomial.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    let coefficients = [2.147_537e-3, -8.182_674e-3, 2.170_296_8e-2, -5.394_720_3e-2, 1.333_321e-1, -3.333_333e-1];
    let near = a + a * (z * polynomial(z, coefficients));
    let far = 1.0 - 2.0 / (exp(2.0 * a) + 1.0);
    (if a < 0.625 { near } else { far }).copysign(x)
}

#[cfg(test)]
mod tests {
    /// The largest error in units of the last place, over numbers of every sign and exponent.
    fn largest_error(f: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        let mut largest = 0.0f64;
        for bits in (0..=u32::MAX).step_by(1009) {
            let x = f32::from_bits(bits);
            let (y, exact) = (f(x), exact(f64::from(x)));
            let rounded = exact as f32;
            if rounded.is_nan() || rounded.is_infinite() || y.is_infinite() {
                assert!(y == rounded || (y.is_nan() && rounded.is_nan()), "f({x:e}) = {y:e}, not {rounded:e}");
                continue;
            }
            let unit = f64::from(rounded.abs().next_up() - rounded.abs());
            let error = (f64::from(y) - exact).abs() / unit;
            largest = largest.max(error);
        }
        largest
    }

    #[test]
    fn errors_stay_below_the_bound() {
        let errors = [
            largest_error(super::exp, f64::exp),
            largest_error(super::ln, f64::ln),
            largest_error(super::tanh, f64::tanh),
        ];
        assert!(errors[0] < 1.0 && errors[1] < 1.2 && errors[2] < 1.3, "{errors:?}");
    }

    #[test]
    fn signs_of_zero_and_limits_are_kept() {
        assert_eq!(super::tanh(-0.0).to_bits(), (-0.0f32).to_bits());
        assert_eq!(
            [super::exp(0.0), super::exp(f32::NEG_INFINITY), super::exp(f32::INFINITY)],
            [1.0, 0.0, f32::INFINITY]
        );
        assert_eq!([super::ln(1.0), super::ln(0.0)], [0.0, f32::NEG_INFINITY]);
        assert_eq!([super::tanh(f32::INFINITY), super::tanh(f32::NEG_INFINITY)], [1.0, -1.0]);
    }
}
