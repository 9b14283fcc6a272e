//! Operands of operations on variables.

use crate::autograd::{Param, Tape, Var};
use crate::tensor::{Float, Number, Tensor};
use std::borrow::Cow;

/// An operand of an operation on a [`Var`]: a variable, a parameter, a tensor (a constant that shares its elements) or a number
/// of any type, owned or borrowed.
///
/// On the left of an operator a number must be an `f64` or `i32`, the types of literals: if `f32` were allowed as well, Rust could
/// not infer the type of `(1.0 - &x).exp()`. Write an `f32` on the right, `&x * rate`, or convert it, `f64::from(rate) * &x`.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let (x, weight) = (tape.var([1.0, 2.0]), Param::new([3.0, 4.0]));
/// let (rate, count) = (0.5f32, 2usize);
/// let y = 2 * &x * &weight * rate / count - tensor![1.0, 1.0];
/// assert_eq!(y.value(), &tensor![0.5, 3.0]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operand for a variable of `{T}`",
    label = "expected a variable, a parameter or a tensor of `{T}`, or a number",
    note = "a list of numbers becomes a tensor by `Tensor::from`, a tensor of the other precision by `cast()`"
)]
pub trait Operand<T: Float> {
    /// Resolves this operand on a tape.
    #[doc(hidden)]
    #[track_caller]
    fn resolve(&self, tape: &Tape<T>) -> Resolved<'_, T>;
}

/// An operand on a tape.
#[doc(hidden)]
#[derive(Debug)]
pub enum Resolved<'a, T: Float> {
    /// A number.
    Scalar(f64),
    /// A variable or constant.
    Var(Cow<'a, Var<T>>),
}

impl<'a, T: Float> Resolved<'a, T> {
    /// Converts to a variable; a number becomes a scalar constant.
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

macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl<T: Float> Operand<T> for $t {
            fn resolve(&self, _: &Tape<T>) -> Resolved<'_, T> {
                Resolved::Scalar(self.number())
            }
        }
    )* };
}
numbers!(f32 f64 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl<T: Float, O: Operand<T> + ?Sized> Operand<T> for &O {
    #[track_caller]
    fn resolve(&self, tape: &Tape<T>) -> Resolved<'_, T> {
        (**self).resolve(tape)
    }
}

impl<T: Float> Var<T> {
    /// An operand as a variable on the same tape, for custom operations that accept the same operands as the operators.
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
        self.resolve_operand(&x).into_owned()
    }

    /// [`operand`](Var::operand) that borrows a variable instead of cloning it.
    #[track_caller]
    pub(crate) fn resolve_operand<'a>(&self, x: &'a impl Operand<T>) -> Cow<'a, Var<T>> {
        x.resolve(self.tape()).into_var(self.tape())
    }
}
