//! Absolute value and sign, and rounding: piecewise linear, or constant with derivative 0.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};

elementwise! {
    /// |x|; the derivative is the sign of x, 0 at 0.
    abs: Abs { x => x.abs(); input: |gy, x| gy * x.value().map(T::sign) }
    /// −1, 0 or 1; derivative 0.
    sign: Sign { x => x.sign(); nothing: |gy| gy.zeros_like() }
    /// Rounded down; derivative 0.
    floor: Floor { x => x.floor(); nothing: |gy| gy.zeros_like() }
    /// Rounded up; derivative 0.
    ceil: Ceil { x => x.ceil(); nothing: |gy| gy.zeros_like() }
    /// Rounded to the nearest integer, halves to even; derivative 0.
    round: Round { x => x.round_ties_even(); nothing: |gy| gy.zeros_like() }
}
