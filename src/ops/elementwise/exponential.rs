//! Exponentials and logarithms.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};
use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

elementwise! {
    /// Exponential eˣ, `dy/dx = y`.
    exp: Exp { x => x.exp(); output: |gy, y| gy * y }
    /// Power of two 2ˣ, `dy/dx = 2ˣ ln 2`.
    exp2: Exp2 { x => x.exp2(); input: |gy, x| gy.exp2_gradient(x) }
    /// eˣ − 1, accurate near 0; `dy/dx = eˣ`.
    #[doc(alias = "exp_m1")]
    expm1: Expm1 { x => x.exp_m1(); input: |gy, x| gy * x.exp() }
    /// Natural logarithm, `dy/dx = 1/x`; NaN for negative x.
    #[doc(alias = "log")]
    ln: Ln { x => x.ln(); input: |gy, x| gy / x }
    /// ln(1 + x), accurate near 0; `dy/dx = 1/(1 + x)`.
    #[doc(alias = "ln_1p")]
    log1p: Log1p { x => x.ln_1p(); input: |gy, x| gy / (x + 1.0) }
    /// Logarithm to base 2, `dy/dx = 1/(x ln 2)`.
    log2: Log2 { x => x.log2(); input: |gy, x| gy / x * LOG2_E }
    /// Logarithm to base 10, `dy/dx = 1/(x ln 10)`.
    log10: Log10 { x => x.log10(); input: |gy, x| gy * LOG10_E / x }
}

gradients! {
    /// gy 2ˣ ln 2, also where 2ˣ overflows.
    exp2_gradient: Exp2Gradient {
        x => {
            let [one, far, scale] = [1.0, 64.0, LN_2].map(T::from_f64);
            if x > far { (x - one).exp2() * (scale + scale) } else { x.exp2() * scale }
        };
        |gy, x| gy.exp2_gradient(x) * LN_2
    }
}

broadcasting! {
    /// ln(eᵃ + eᵇ) without overflow; the shapes broadcast. `dy/da = σ(a − b)`, which is 0 if both are −∞ and ½ if both are ∞.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    logaddexp: LogAddExp { a, b => {
        // ∞ − ∞ is NaN, but the result is defined.
        let difference = |a: T, b: T| if a == b { T::ZERO } else { (a - b).abs() };
        a.zip(
            b,
            #[inline(always)]
            |a, b| a.maximum(b) + (-difference(a, b)).exp().ln_1p(),
        )
    }; Inputs: |saved, gy| {
        let [a, b] = saved.inputs();
        let infinite = |x: &Var<T>| x.value().as_slice().iter().any(|x| x.abs() == T::INFINITY);
        if !infinite(&a) || !infinite(&b) {
            return [
                saved.needs(0).then(|| gy * (&a - &b).sigmoid()),
                saved.needs(1).then(|| gy * (&b - &a).sigmoid()),
            ];
        }
        // The difference of equal infinities is NaN.
        let at = |infinity: T| a.value().zip(b.value(), |a, b| if a == b && a == infinity { T::ONE } else { T::ZERO });
        let (high, low) = (at(T::INFINITY), at(T::NEG_INFINITY));
        let share = |a: &Var<T>, b: &Var<T>| (a - b).masked_fill(&high, 0.0).masked_fill(&low, -f64::INFINITY).sigmoid();
        [saved.needs(0).then(|| gy * share(&a, &b)), saved.needs(1).then(|| gy * share(&b, &a))]
    } }
}
