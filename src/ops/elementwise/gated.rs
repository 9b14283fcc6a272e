//! Smooth gated activations `y = x g(x)`, with a gate g that rises from 0 to 1: `dy/dx = g(x) + x g′(x)`.
//!
//! Each formula is evaluated in double precision and rounded once. Its argument is limited to where the gate is exactly 0 or 1,
//! so that infinities give the limit. Near 0, where most inputs are, a polynomial takes half the time.

use crate::autograd::{Op, Save, Saved, Var};
use crate::kernel::transcendental::gate::{GELU, GELU_TANH, SILU};
use crate::tensor::{Float, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// x g rounded, where g is the gate at x limited to a bound. Beyond it the value is 0 or x.
#[inline(always)]
fn gated<T: Float>(x: T, limited: f64, gate: f64) -> T {
    if x.to_f64() > limited { x } else { T::from_f64(limited * gate) }
}

/// x in double precision, between −bound and bound.
#[inline(always)]
fn limit<T: Float>(x: T, bound: f64) -> f64 {
    x.to_f64().clamp(-bound, bound)
}

/// Where σ and tanh(softplus) underflow to 0.
const EXPONENTIAL: f64 = 800.0;
/// Where the normal distribution and its approximation underflow to 0.
const NORMAL: f64 = 40.0;
/// √(2/π) and the coefficient of x³, in the approximation of the normal distribution.
const TANH: [f64; 2] = [FRAC_2_SQRT_PI * FRAC_1_SQRT_2, 0.044715];

/// σ(x) and σ(−x).
#[inline(always)]
fn sigmoids<T: Float>(x: f64) -> [f64; 2] {
    let q = T::exp_in_f64(-x.abs());
    let large = 1.0 / (1.0 + q);
    let small = q * large;
    if x < 0.0 { [small, large] } else { [large, small] }
}

/// The standard normal distribution function Φ.
#[inline(always)]
fn normal<T: Float>(x: f64) -> f64 {
    0.5 * T::erfc_in_f64(-x * FRAC_1_SQRT_2)
}

/// The standard normal density φ.
#[inline(always)]
fn density<T: Float>(x: f64) -> f64 {
    FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0 * T::gaussian_in_f64(0.5, x)
}

/// tanh(softplus(x)) = n/(n + 2) with n = eˣ(eˣ + 2), and its derivative 4eˣ(eˣ + 1)/(n + 2)², in terms of q = exp(−|x|).
#[inline(always)]
fn mish_gate<T: Float>(x: f64) -> [f64; 2] {
    let q = T::exp_in_f64(-x.abs());
    let positive = x > 0.0;
    let numerator = if positive { 1.0 + 2.0 * q } else { q * (q + 2.0) };
    let denominator = numerator + if positive { 2.0 * q * q } else { 2.0 };
    let slope = 4.0 * q * (1.0 + q) * if positive { q } else { 1.0 };
    let inverse = 1.0 / denominator;
    [numerator * inverse, slope * inverse * inverse]
}

elementwise! {
    /// Gaussian error linear unit x Φ(x), exactly, where Φ is the standard normal CDF. Hendrycks and Gimpel 2016.
    gelu: Gelu {
        x => {
            let z = limit(x, NORMAL);
            gated(x, z, normal::<T>(z))
        }, near GELU;
        input: |gy, x| gy.gelu_gradient(x)
    }
    /// Tanh approximation of [`gelu`](Var::gelu): x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).
    #[doc(alias = "gelu_new")]
    gelu_tanh: GeluTanh {
        x => {
            let z = limit(x, NORMAL);
            let [scale, cubic] = TANH;
            gated(x, z, sigmoids::<T>(2.0 * scale * (z + cubic * z * z * z))[0])
        }, near GELU_TANH;
        input: |gy, x| gy.gelu_tanh_gradient(x)
    }
    /// Sigmoid linear unit x σ(x), also called swish. Ramachandran et al. 2017.
    #[doc(alias = "swish")]
    silu: Silu {
        x => {
            let z = limit(x, EXPONENTIAL);
            gated(x, z, sigmoids::<T>(z)[0])
        }, near SILU;
        input: |gy, x| gy.silu_gradient(x)
    }
    /// Mish, x tanh(softplus(x)). Misra 2019.
    mish: Mish {
        x => {
            let z = limit(x, EXPONENTIAL);
            gated(x, z, mish_gate::<T>(z)[0])
        };
        input: |gy, x| gy.mish_gradient(x)
    }
}

gradients! {
    /// gy (Φ(x) + x φ(x)), with the derivative gy φ(x) (2 − x²).
    gelu_gradient: GeluGradient {
        x => {
            let z = limit(x, NORMAL);
            T::from_f64(normal::<T>(z) + z * density::<T>(z))
        }, near GELU;
        |gy, x| gy.times_normal_density(x) * (2.0 - x.square())
    }
    /// gy φ(x).
    times_normal_density: TimesNormalDensity {
        x => T::from_f64(density::<T>(x.to_f64()));
        |gy, x| -(gy.times_normal_density(x) * x)
    }
    /// gy (σ(v) + x v′ σ(v) σ(−v)) with v = 2√(2/π) (x + 0.044715 x³).
    gelu_tanh_gradient: GeluTanhGradient {
        x => {
            let z = limit(x, NORMAL);
            let [scale, cubic] = TANH;
            let [gate, rest] = sigmoids::<T>(2.0 * scale * (z + cubic * z * z * z));
            T::from_f64(gate + z * (2.0 * scale * (1.0 + 3.0 * cubic * z * z)) * gate * rest)
        }, near GELU_TANH;
        |gy, x| {
            let [scale, cubic] = TANH;
            let v = (x + x * x.square() * cubic) * (2.0 * scale);
            let (first, second) = ((x.square() * (3.0 * cubic) + 1.0) * (2.0 * scale), x * (12.0 * scale * cubic));
            let bracket = &first * 2.0 + x * second - x * first.square() * (&v * 0.5).tanh();
            (gy * bracket).sigmoid_gradient(&v)
        }
    }
    /// gy (σ(x) + x σ(x) σ(−x)).
    silu_gradient: SiluGradient {
        x => {
            let z = limit(x, EXPONENTIAL);
            let [gate, rest] = sigmoids::<T>(z);
            T::from_f64(gate + z * gate * rest)
        }, near SILU;
        |gy, x| gy.sigmoid_gradient(x) * (2.0 - x * (x * 0.5).tanh())
    }
    /// gy (g + x g′) for the gate g = tanh(softplus(x)), with the derivative gy g′ (2 + x (σ(−x) − 2g σ(x))).
    mish_gradient: MishGradient {
        x => {
            let z = limit(x, EXPONENTIAL);
            let [gate, slope] = mish_gate::<T>(z);
            T::from_f64(gate + z * slope)
        };
        |gy, x| {
            let (softplus, sigmoid) = (x.softplus(), x.sigmoid());
            let bracket = (-x).sigmoid() - softplus.tanh() * &sigmoid * 2.0;
            gy.tanh_gradient(&softplus) * sigmoid * (x * bracket + 2.0)
        }
    }
}
