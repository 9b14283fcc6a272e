//! The tail of the standard normal distribution, with a small error relative to the result.

/// 1/√(2π).
const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;

/// Φ(−x) = r(x) exp(−x²/2), with polynomials in u = (x − 2.5)/(x + 2.5) that were interpolated for this crate between 0 and 14.5.
/// Beyond, the results underflow.
pub(crate) mod single {
    use crate::kernel::transcendental::exponential::bounded_gaussian;
    use crate::kernel::transcendental::polynomial;

    /// x, limited to where the results are 0, u, and 1/(x + 2.5).
    #[inline(always)]
    fn argument(x: f32) -> (f32, f32, f32) {
        let x = if x > 14.6 { 14.6 } else { x };
        let inverse = 1.0 / (x + 2.5);
        (x, (x - 2.5) * inverse, inverse)
    }

    /// x Φ(−x), with a polynomial for (x + 2.5) r(x).
    #[inline(always)]
    pub(crate) fn normal_tail(x: f32) -> f32 {
        let (x, u, inverse) = argument(x);
        let coefficients = [
            -1.581_188_3e-4,
            -3.132_749_4e-4,
            6.835_118_4e-4,
            2.525_526e-3,
            -1.599_688_2e-3,
            -1.638_666_7e-2,
            9.235_538e-3,
            1.319_870_2e-1,
            -4.336_92e-1,
            7.066_566_3e-1,
        ];
        x * inverse * polynomial(u, coefficients) * bounded_gaussian(x, 0.5)
    }

    /// Φ(−x) − x φ(x), with a polynomial for the quotient of r(x) − x/√(2π) and the distance from its zero.
    #[inline(always)]
    pub(crate) fn normal_tail_slope(x: f32) -> f32 {
        const ZERO: [f32; 2] = [0.751_791_54, -1.211_445e-8];
        let (x, u, _) = argument(x);
        let coefficients = [
            -3.634_252e-5,
            -1.875_602_4e-5,
            3.483_806_2e-4,
            4.546_339_3e-4,
            -2.720_950_4e-3,
            -4.506_738_4e-3,
            4.476_354_3e-2,
            -1.289_944_2e-1,
            4.896_580_6e-1,
        ];
        ((ZERO[0] - x) + ZERO[1]) * polynomial(u, coefficients) * bounded_gaussian(x, 0.5)
    }
}

/// By the complementary error function of `libm`.
pub(crate) mod double {
    use super::DENSITY_AT_0;
    use crate::kernel::Float;
    use std::f64::consts::FRAC_1_SQRT_2;

    /// Φ(−x).
    fn normal(x: f64) -> f64 {
        0.5 * libm::erfc(x * FRAC_1_SQRT_2)
    }

    /// x Φ(−x), which is 0 beyond the limit.
    pub(crate) fn normal_tail(x: f64) -> f64 {
        let x = if x > 40.0 { 40.0 } else { x };
        x * normal(x)
    }

    /// Φ(−x) − x φ(x).
    pub(crate) fn normal_tail_slope(x: f64) -> f64 {
        let x = if x > 40.0 { 40.0 } else { x };
        normal(x) - x * DENSITY_AT_0 * Float::gaussian(x, 0.5)
    }
}
