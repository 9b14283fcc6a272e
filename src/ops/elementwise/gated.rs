//! Smooth gated activations `y = x g(x)`, with a gate g that rises from 0 to 1: `dy/dx = g(x) + x g′(x)`.
//!
//! With a = |x| they are computed from what is small for large a, so that no digit cancels on either side: the tail t = a g(−a),
//! or a (1 − g(a)), gives y = −t or x − t, and its slope s the derivative s or 1 − s.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// √(2/π) and the coefficient of x³, in the approximation of the normal distribution.
const TANH: [f64; 2] = [FRAC_2_SQRT_PI * FRAC_1_SQRT_2, 0.044715];

/// Where e⁻ᵃ underflows to 0.
const EXPONENTIAL: f64 = 800.0;
/// Where exp(−a²/2) and the exponential of a cubic polynomial do.
const CUBIC: f64 = 40.0;

/// |x|, limited to where the tail is 0: infinities give the limit.
#[inline(always)]
fn size<T: Float>(x: T, limit: f64) -> T {
    let (a, limit) = (x.abs(), T::from_f64(limit));
    // The comparison, unlike `min`, keeps a NaN.
    if a > limit { limit } else { a }
}

/// y, given its tail.
#[inline(always)]
fn with_tail<T: Float>(x: T, tail: T) -> T {
    (if x < T::ZERO { -T::ZERO } else { x }) - tail
}

/// The derivative, given the slope of the tail.
#[inline(always)]
fn with_slope<T: Float>(x: T, slope: T) -> T {
    if x < T::ZERO { slope } else { T::ONE - slope }
}

/// a σ(−v), given q = e⁻ᵛ.
#[inline(always)]
fn logistic_tail<T: Float>(a: T, q: T) -> T {
    a * q / (T::ONE + q)
}

/// σ(−v) (1 − av′ σ(v)), given av′.
#[inline(always)]
fn logistic_slope<T: Float>(a: T, q: T) -> T {
    let sum = T::ONE + q;
    q * (q - (a - T::ONE)) / (sum * sum)
}

/// e⁻ᵛ with v = 2√(2/π) (a + 0.044715 a³), and a v′. The exponential would amplify the rounding error of v.
#[inline(always)]
fn cubic<T: Float>(a: T) -> [T; 2] {
    let (z, [scale, cubic]) = (a.to_f64(), TANH);
    let v = 2.0 * scale * (z + cubic * z * z * z);
    let rounded = T::from_f64(v);
    let factor = T::from_f64(2.0 * scale) * a * (T::ONE + T::from_f64(3.0 * cubic) * a * a);
    [rounded.exp_neg(T::from_f64(v - rounded.to_f64())), factor]
}

/// The gate tanh(softplus(x)) in terms of q = e⁻ᵃ: numerator and denominator of the tail's gate, and numerator of its derivative.
#[inline(always)]
fn mish_gate<T: Float>(x: T, q: T) -> [T; 3] {
    let two = T::from_f64(2.0);
    let linear = two * q;
    if x < T::ZERO {
        let numerator = q * (q + two);
        [numerator, numerator + two, two * linear * (T::ONE + q)]
    } else {
        let numerator = linear * q;
        [numerator, T::ONE + linear + numerator, two * numerator * (T::ONE + q)]
    }
}

impl<T: Float> Var<T> {
    /// x, limited to where the second derivative is 0: products with a square of x, or with an infinite x, would be NaN beyond.
    #[track_caller]
    fn limited(&self, limit: f64) -> Var<T> {
        self.clamp(-limit, limit)
    }
}

elementwise! {
    /// Gaussian error linear unit x Φ(x), exactly, where Φ is the standard normal CDF. Hendrycks and Gimpel 2016.
    gelu: Gelu {
        x => with_tail(x, x.abs().normal_tail());
        input: |gy, x| gy.gelu_gradient(x)
    }
    /// Tanh approximation of [`gelu`](Var::gelu): x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).
    #[doc(alias = "gelu_new")]
    gelu_tanh: GeluTanh {
        x => {
            let a = size(x, CUBIC);
            with_tail(x, logistic_tail(a, cubic(a)[0]))
        };
        input: |gy, x| gy.gelu_tanh_gradient(x)
    }
    /// Sigmoid linear unit x σ(x), also called swish. Ramachandran et al. 2017.
    #[doc(alias = "swish")]
    silu: Silu {
        x => {
            let a = size(x, EXPONENTIAL);
            with_tail(x, logistic_tail(a, a.exp_neg_abs()))
        };
        input: |gy, x| gy.silu_gradient(x)
    }
    /// Mish, x tanh(softplus(x)). Misra 2019.
    mish: Mish {
        x => {
            let a = size(x, EXPONENTIAL);
            let [numerator, denominator, _] = mish_gate(x, a.exp_neg_abs());
            with_tail(x, a * (numerator / denominator))
        };
        input: |gy, x| gy.mish_gradient(x)
    }
}

gradients! {
    /// gy (Φ(x) + x φ(x)), with the derivative gy φ(x) (2 − x²).
    gelu_gradient: GeluGradient {
        x => with_slope(x, x.abs().normal_tail_slope());
        |gy, x| {
            let x = x.limited(CUBIC);
            gy.times_normal_density(&x) * (2.0 - x.square())
        }
    }
    /// gy φ(x).
    times_normal_density: TimesNormalDensity {
        x => x.gaussian(T::from_f64(0.5)) * T::from_f64(0.5 * TANH[0]);
        |gy, x| -(gy.times_normal_density(x) * x)
    }
    /// gy (σ(v) + x v′ σ(v) σ(−v)) with v = 2√(2/π) (x + 0.044715 x³).
    gelu_tanh_gradient: GeluTanhGradient {
        x => {
            let [q, factor] = cubic(size(x, CUBIC));
            with_slope(x, logistic_slope(factor, q))
        };
        |gy, x| {
            let ([scale, cubic], x) = (TANH, &x.limited(CUBIC));
            let v = (x + x * x.square() * cubic) * (2.0 * scale);
            let (first, second) = ((x.square() * (3.0 * cubic) + 1.0) * (2.0 * scale), x * (12.0 * scale * cubic));
            let bracket = &first * 2.0 + x * second - x * first.square() * (&v * 0.5).tanh();
            (gy * bracket).sigmoid_gradient(&v)
        }
    }
    /// gy (σ(x) + x σ(x) σ(−x)).
    silu_gradient: SiluGradient {
        x => {
            let a = size(x, EXPONENTIAL);
            with_slope(x, logistic_slope(a, a.exp_neg_abs()))
        };
        |gy, x| {
            let x = &x.limited(EXPONENTIAL);
            gy.sigmoid_gradient(x) * (2.0 - x * (x * 0.5).tanh())
        }
    }
    /// gy (g + x g′) for the gate g = tanh(softplus(x)), with the derivative gy g′ (2 + x (σ(−x) − 2g σ(x))).
    mish_gradient: MishGradient {
        x => {
            let a = size(x, EXPONENTIAL);
            let [numerator, denominator, change] = mish_gate(x, a.exp_neg_abs());
            with_slope(x, (numerator - a * (change / denominator)) / denominator)
        };
        |gy, x| {
            let x = &x.limited(EXPONENTIAL);
            let (softplus, sigmoid) = (x.softplus(), x.sigmoid());
            let bracket = (-x).sigmoid() - softplus.tanh() * &sigmoid * 2.0;
            gy.tanh_gradient(&softplus) * sigmoid * (x * bracket + 2.0)
        }
    }
}
