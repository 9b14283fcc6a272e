//! The error function and its complement.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};
use std::f64::consts::FRAC_2_SQRT_PI;

elementwise! {
    /// Error function, `dy/dx = 2/√π · exp(−x²)`.
    erf: Erf { x => x.erf(); input: |gy, x| gy.erf_gradient(x) }
    /// Complementary error function 1 − erf(x), accurate for large x; `dy/dx = −2/√π · exp(−x²)`.
    erfc: Erfc { x => x.erfc(); input: |gy, x| -gy.erf_gradient(x) }
}

gradients! {
    /// gy · 2/√π · exp(−x²).
    erf_gradient: ErfGradient {
        x => x.gaussian(T::ONE) * T::from_f64(FRAC_2_SQRT_PI);
        // Beyond 30 the derivative is 0, and stays so for an infinite x.
        |gy, x| gy.erf_gradient(x) * (x.clamp(-30.0, 30.0) * -2.0)
    }
}
