//! Hyperbolic functions and their inverses.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Hyperbolic sine, `dy/dx = cosh x`.
    sinh: Sinh { x => x.sinh(); input: |gy, x| gy * x.cosh() }
    /// Hyperbolic cosine, `dy/dx = sinh x`.
    cosh: Cosh { x => x.cosh(); input: |gy, x| gy * x.sinh() }
    /// Hyperbolic tangent, `dy/dx = 1 − y²`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(0.0);
    /// assert_eq!(x.tanh().grad(&x).item(), 1.0);
    /// ```
    tanh: Tanh { x => x.tanh(); output: |gy, y| gy * (1.0 - y.square()) }
    /// Inverse hyperbolic sine, `dy/dx = 1/√(x² + 1)`.
    #[doc(alias = "arcsinh")]
    asinh: Asinh { x => x.asinh(); input: |gy, x| gy / x.hypot(1.0) }
    /// Inverse hyperbolic cosine, `dy/dx = 1/√(x² − 1)`; NaN below 1.
    #[doc(alias = "arccosh")]
    acosh: Acosh { x => x.acosh(); input: |gy, x| gy * ((x - 1.0) * (x + 1.0)).rsqrt() }
    /// Inverse hyperbolic tangent, `dy/dx = 1/(1 − x²)`; NaN outside [−1, 1].
    #[doc(alias = "arctanh")]
    atanh: Atanh { x => x.atanh(); input: |gy, x| gy / (1.0 - x.square()) }
}
