//! `+ - * /` between variables, parameters, tensors and numbers.

use crate::autograd::{Op, Operand, Param, Resolved, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

broadcasting_op! {
    /// Sum, `y = a + b`.
    add: AddOp { a, b => a + b; Nothing + BROADCASTS: |_saved, gy| [Some(gy.clone()), Some(gy.clone())] }
    /// Difference, `y = a − b`.
    sub: SubOp { a, b => a - b; Nothing + BROADCASTS: |saved, gy| [Some(gy.clone()), saved.needs(1).then(|| -gy)] }
    /// Product, `y = a b`.
    mul: MulOp { a, b => a * b; Others + BROADCASTS: |saved, gy| {
        [saved.needs(0).then(|| gy * saved.input(1)), saved.needs(1).then(|| gy * saved.input(0))]
    } }
    /// Quotient, `y = a / b`.
    div: DivOp { a, b => a / b; Inputs + BROADCASTS: |saved, gy| {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy / &b), saved.needs(1).then(|| -(gy * (&a / &b)) / &b)]
    } }
}

/// Sign change, `y = −x`.
pub(crate) struct NegOp;

impl<T: Float> Op<T, 1> for NegOp {
    const NAME: &'static str = "neg";
    const SAVE: Save = Save::Nothing;
    const BROADCASTS: bool = true;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        -x
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(-gy)]
    }
}

impl<T: Float> Neg for &Var<T> {
    type Output = Var<T>;
    #[track_caller]
    fn neg(self) -> Var<T> {
        NegOp.of([self])
    }
}

impl<T: Float> Neg for Var<T> {
    type Output = Var<T>;
    #[track_caller]
    fn neg(self) -> Var<T> {
        NegOp.of([&self])
    }
}

/// Implements an operator for every pair of operands of which at least one is a variable.
macro_rules! operator {
    ($trait:ident::$method:ident, $assign_trait:ident::$assign:ident, $op:ident, |$x:ident, $c:ident| $right_number:expr, $left_number:expr) => {
        impl<T: Float, R: Operand<T>> $trait<R> for &Var<T> {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, right: R) -> Var<T> {
                match right.resolve(self.tape()) {
                    Resolved::Var(right) => $op.of([self, &*right]),
                    Resolved::Scalar($c) => {
                        let $x = self;
                        $right_number
                    }
                }
            }
        }

        impl<T: Float, R: Operand<T>> $trait<R> for Var<T> {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, right: R) -> Var<T> {
                (&self).$method(right)
            }
        }

        /// Rebinds the variable to the result; nothing is modified in place, and earlier records are unaffected.
        impl<T: Float, R: Operand<T>> $assign_trait<R> for Var<T> {
            #[track_caller]
            fn $assign(&mut self, right: R) {
                *self = (&*self).$method(right);
            }
        }

        operator!(@left $trait::$method, f64, |left, $x| {
            let $c = left;
            $left_number
        });
        operator!(@left $trait::$method, i32, |left, right| f64::from(left).$method(right));
        operator!(@left $trait::$method, &Param<T>, |left, right| (&*right.resolve_operand(&left)).$method(right));
        operator!(@left $trait::$method, &Tensor<T>, |left, right| right.constant(left).$method(right));
        operator!(@left $trait::$method, Tensor<T>, |left, right| right.constant(left).$method(right));
    };
    (@left $trait:ident::$method:ident, $left_type:ty, |$left:ident, $right:ident| $value:expr) => {
        impl<T: Float> $trait<&Var<T>> for $left_type {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, right: &Var<T>) -> Var<T> {
                let ($left, $right) = (self, right);
                $value
            }
        }

        impl<T: Float> $trait<Var<T>> for $left_type {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, right: Var<T>) -> Var<T> {
                self.$method(&right)
            }
        }
    };
}

operator!(Add::add, AddAssign::add_assign, AddOp, |x, c| x.add_scalar(c), x.add_scalar(c));
operator!(Sub::sub, SubAssign::sub_assign, SubOp, |x, c| x.add_scalar(-c), x.rsub_scalar(c));
operator!(Mul::mul, MulAssign::mul_assign, MulOp, |x, c| x.mul_scalar(c), x.mul_scalar(c));
operator!(Div::div, DivAssign::div_assign, DivOp, |x, c| x.div_scalar(c), x.rdiv_scalar(c));

/// Kept apart from the other messages because `Iterator::sum` is not `#[track_caller]`.
const NO_SUM: &str =
    "sum: there are no variables, and a sum of nothing is on no tape: add to tape.constant(0.0) instead";

/// The sum of variables, added from first to last, such as the terms of a loss.
///
/// Listings attribute the additions to this crate, because `Iterator::sum` is not `#[track_caller]`; `+=` is attributed to
/// the line of the program.
///
/// # Panics
/// If the iterator is empty, since an empty sum belongs to no tape. Where that can happen, add to `tape.constant(0.0)`.
///
/// ```
/// # use wengert::prelude::*;
/// let tape = Tape::new();
/// let parts = [tape.var(1.0), tape.var(2.0)];
/// let mut loss: Var = parts.iter().sum();
/// loss += 0.5;
/// assert_eq!(loss.item(), 3.5);
/// ```
impl<T: Float> Sum for Var<T> {
    fn sum<I: Iterator<Item = Self>>(variables: I) -> Self {
        variables.reduce(|sum, x| sum + x).expect(NO_SUM)
    }
}

/// As for owned variables.
impl<'a, T: Float> Sum<&'a Var<T>> for Var<T> {
    fn sum<I: Iterator<Item = &'a Self>>(variables: I) -> Self {
        variables.cloned().sum()
    }
}
