//! What can stand beside a variable in an operation.

use super::{Param, Tape, Var};
use crate::tensor::{Float, Tensor};
use std::borrow::Cow;

/// What an operation accepts beside a [`Var`]: a variable, a parameter, a tensor (both constant and
/// shared, not copied) or a number, owned or borrowed.
pub trait Operand<T: Float> {
    /// This operand on a tape.
    #[doc(hidden)]
    #[track_caller]
    fn resolve(&self, tape: &Tape<T>) -> Resolved<'_, T>;
}

/// An operand on a tape.
#[doc(hidden)]
pub enum Resolved<'a, T: Float> {
    /// A number.
    Scalar(f64),
    /// A variable or constant.
    Var(Cow<'a, Var<T>>),
}

impl<'a, T: Float> Resolved<'a, T> {
    /// As a variable; a number becomes a constant without axes.
    pub(crate) fn into_var(self, tape: &Tape<T>) -> Cow<'a, Var<T>> {
        match self {
            Resolved::Scalar(x) => Cow::Owned(tape.constant(x)),
            Resolved::Var(var) => var,
        }
    }
}

impl<T: Float> Operand<T> for Var<T> {
    fn resolve(&self, _: &Tape<T>) -> Resolved<'_, T> {
        Resolved::Var(Cow::Borrowed(self))
    }
}

impl<T: Float> Operand<T> for Param<T> {
    #[track_caller]
    fn resolve(&self, tape: &Tape<T>) -> Resolved<'_, T> {
        Resolved::Var(Cow::Owned(tape.param(self)))
    }
}

impl<T: Float> Operand<T> for Tensor<T> {
    fn resolve(&self, tape: &Tape<T>) -> Resolved<'_, T> {
        Resolved::Var(Cow::Owned(tape.constant(self)))
    }
}

impl<T: Float> Operand<T> for f64 {
    fn resolve(&self, _: &Tape<T>) -> Resolved<'_, T> {
        Resolved::Scalar(*self)
    }
}

impl<T: Float, O: Operand<T>> Operand<T> for &O {
    #[track_caller]
    fn resolve(&self, tape: &Tape<T>) -> Resolved<'_, T> {
        (**self).resolve(tape)
    }
}
