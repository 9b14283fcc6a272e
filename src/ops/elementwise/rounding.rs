//! Rounding: piecewise constant, with derivative 0.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};

elementwise! {
    /// Rounds down; the derivative is 0.
    floor: Floor { x => x.floor(); nothing: |gy| gy.zeros_like() }
    /// Rounds up; the derivative is 0.
    ceil: Ceil { x => x.ceil(); nothing: |gy| gy.zeros_like() }
    /// Rounds to the nearest integer, ties to even; the derivative is 0.
    #[doc(alias = "rint")]
    round: Round { x => x.round_ties_even(); nothing: |gy| gy.zeros_like() }
}
