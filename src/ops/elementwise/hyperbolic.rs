//! Hyperbolic functions and their inverses.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Hyperbolic sine, `dy/dx = cosh x`.
    sinh: Sinh { x => x.sinh(); input: |gy, x| gy * x.cosh() }
    /// Hyperbolic cosine, `dy/dx = sinh x`.
    cosh: Cosh { x => x.cosh(); input: |gy, x| gy * x.sinh() }
    /// Hyperbolic tangent, `dy/dx = 1/cosh² x`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(0.0);
    /// assert_eq!(x.tanh().grad(&x).item(), 1.0);
    /// ```
    tanh: Tanh { x => x.tanh(); input: |gy, x| gy.tanh_gradient(x) }
    /// Inverse hyperbolic sine, `dy/dx = 1/√(x² + 1)`.
    #[doc(alias = "arcsinh")]
    asinh: Asinh { x => x.asinh(); input: |gy, x| gy / x.hypot(1.0) }
    /// Inverse hyperbolic cosine, `dy/dx = 1/√(x² − 1)`; both NaN below 1.
    #[doc(alias = "arccosh")]
    acosh: Acosh { x => x.acosh(); input: |gy, x| gy.acosh_gradient(x) }
    /// Inverse hyperbolic tangent, `dy/dx = 1/(1 − x²)`; NaN outside [−1, 1].
    #[doc(alias = "arctanh")]
    atanh: Atanh { x => x.atanh(); input: |gy, x| gy.atanh_gradient(x) }
}

gradients! {
    /// gy/cosh² x = gy · 4q/(1 + q)² with q = exp(−2|x|): no cancellation in the tails.
    tanh_gradient: TanhGradient {
        x => {
            let q = (x * T::from_f64(2.0)).exp_neg_abs();
            let sum = T::ONE + q;
            T::from_f64(4.0) * (q / (sum * sum))
        };
        |gy, x| gy.tanh_gradient(x) * (x.tanh() * -2.0)
    }
    /// gy/√(x² − 1) without overflow.
    acosh_gradient: AcoshGradient {
        x => T::ONE / ((x - T::ONE).sqrt() * (x + T::ONE).sqrt());
        |gy, x| -(gy.acosh_gradient(x) * x).acosh_gradient(x).acosh_gradient(x)
    }
    /// gy/(1 − x²), NaN outside [−1, 1].
    atanh_gradient: AtanhGradient {
        x => {
            let rest = (T::ONE - x) * (T::ONE + x);
            if rest < T::ZERO { T::NAN } else { T::ONE / rest }
        };
        |gy, x| gy.atanh_gradient(x).atanh_gradient(x) * (x * 2.0)
    }
}
