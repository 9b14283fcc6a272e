//! Exponentials and logarithms.

use crate::autograd::{Op, Operand, Save, Saved, Var};
use crate::ops::elementwise::arithmetic::broadcasts;
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};
use std::f64::consts::{LN_2, LN_10};

elementwise! {
    /// Exponential eˣ, `dy/dx = y`.
    exp: Exp { x => x.exp(); output: |gy, y| gy * y }
    /// Power of two 2ˣ, `dy/dx = y ln 2`.
    exp2: Exp2 { x => x.exp2(); output: |gy, y| gy * (y * LN_2) }
    /// eˣ − 1, accurate near 0; `dy/dx = y + 1`.
    #[doc(alias = "exp_m1")]
    expm1: Expm1 { x => x.exp_m1(); output: |gy, y| gy * (y + 1.0) }
    /// Natural logarithm, `dy/dx = 1/x`; NaN for negative x.
    #[doc(alias = "log")]
    ln: Ln { x => x.ln(); input: |gy, x| gy / x }
    /// ln(1 + x), accurate near 0; `dy/dx = 1/(1 + x)`.
    #[doc(alias = "ln_1p")]
    log1p: Log1p { x => x.ln_1p(); input: |gy, x| gy / (x + 1.0) }
    /// Logarithm to base 2, `dy/dx = 1/(x ln 2)`.
    log2: Log2 { x => x.log2(); input: |gy, x| gy / (x * LN_2) }
    /// Logarithm to base 10, `dy/dx = 1/(x ln 10)`.
    log10: Log10 { x => x.log10(); input: |gy, x| gy / (x * LN_10) }
}

/// `y = ln(eᵃ + eᵇ)` without overflow; `dy/da = σ(a − b)`.
pub(crate) struct LogAddExp;

impl<T: Float> Op<T, 2> for LogAddExp {
    const NAME: &'static str = "logaddexp";
    const SAVE: Save = Save::Inputs;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        // ∞ − ∞ is NaN, but the result is defined.
        let difference = |a: T, b: T| if a == b { T::ZERO } else { (a - b).abs() };
        a.zip(
            b,
            #[inline(always)]
            |a, b| a.maximum(b) + (-difference(a, b)).exp().ln_1p(),
        )
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * (&a - &b).sigmoid()), saved.needs(1).then(|| gy * (&b - &a).sigmoid())]
    }
}

impl<T: Float> Var<T> {
    /// ln(eᵃ + eᵇ) without overflow; the shapes broadcast. `dy/da = σ(a − b)`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logaddexp(&self, other: impl Operand<T>) -> Var<T> {
        LogAddExp.of([self, &other.resolve(self.tape()).into_var(self.tape())])
    }
}
