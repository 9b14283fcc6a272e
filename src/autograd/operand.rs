//! What can stand beside a variable in an operation.

use crate::autograd::{Param, Tape, Var};
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

impl<T: Float> Var<T> {
    /// An operand on the tape of this variable, for operations of one's own that shall accept what the operators do.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// fn distance(x: &Var, y: impl Operand<f32>) -> Var {
    ///     let y = x.operand(y);
    ///     (x - &y).square().sum().sqrt()
    /// }
    /// let x = Tape::new().var([3.0, 0.0]);
    /// assert_eq!(distance(&x, tensor![0.0, 4.0]).item(), 5.0);
    /// ```
    #[track_caller]
    pub fn operand(&self, x: impl Operand<T>) -> Var<T> {
        x.resolve(self.tape()).into_var(self.tape()).into_owned()
    }
}
