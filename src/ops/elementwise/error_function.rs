//! The error function and its complement.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};
use std::f64::consts::FRAC_2_SQRT_PI;

elementwise! {
    /// Error function, `dy/dx = 2/√π · exp(−x²)`.
    erf: Erf { x => x.erf(); input: |gy, x| gy * x.erf_slope() }
    /// Complementary error function 1 − erf(x), accurate for large x; `dy/dx = −2/√π · exp(−x²)`.
    erfc: Erfc { x => x.erfc(); input: |gy, x| -(gy * x.erf_slope()) }
}

derivatives! {
    /// 2/√π · exp(−x²).
    erf_slope: ErfSlope {
        x => T::from_f64(T::gaussian_in_f64(1.0, x.to_f64()) * FRAC_2_SQRT_PI);
        input: |gy, x| gy * x.erf_slope() * (x * -2.0)
    }
}
