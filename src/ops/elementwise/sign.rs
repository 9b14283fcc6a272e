//! Absolute value and sign.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Absolute value |x|; `dy/dx = sign(x)`, 0 at 0.
    #[doc(alias("absolute", "fabs"))]
    abs: Abs { x => x.abs(); input: |gy, x| gy * x.value().map(T::sign) }
    /// Sign: −1, 0 or 1; the derivative is 0.
    #[doc(alias = "sgn")]
    #[doc(alias = "signum")]
    sign: Sign { x => x.sign(); nothing: |gy| gy.zeros_like() }
}
