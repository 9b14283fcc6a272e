//! `+ - * /` between variables, parameters, tensors and numbers.

use crate::autograd::{Op, Operand, Param, Resolved, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor, broadcast, same};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The check of every operation whose two inputs broadcast.
pub(crate) fn broadcasts([a, b]: [&[usize]; 2]) -> Result<(), String> {
    let fit = same(a, b) || broadcast(a, b).is_some();
    if fit { Ok(()) } else { Err(panics::do_not_broadcast(a, b)) }
}

/// Sum, `y = a + b`.
pub(crate) struct AddOp;

impl<T: Float> Op<T, 2> for AddOp {
    const NAME: &'static str = "add";
    const SAVE: Save = Save::Nothing;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a + b
    }
    fn backward(&self, _: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        [Some(gy.clone()), Some(gy.clone())]
    }
}

/// Difference, `y = a − b`.
pub(crate) struct SubOp;

impl<T: Float> Op<T, 2> for SubOp {
    const NAME: &'static str = "sub";
    const SAVE: Save = Save::Nothing;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a - b
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        [Some(gy.clone()), saved.needs(1).then(|| -gy)]
    }
}

/// Product, `y = a b`.
pub(crate) struct MulOp;

impl<T: Float> Op<T, 2> for MulOp {
    const NAME: &'static str = "mul";
    const SAVE: Save = Save::Others;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a * b
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        [saved.needs(0).then(|| gy * saved.input(1)), saved.needs(1).then(|| gy * saved.input(0))]
    }
}

/// Quotient, `y = a / b`.
pub(crate) struct DivOp;

impl<T: Float> Op<T, 2> for DivOp {
    const NAME: &'static str = "div";
    const SAVE: Save = Save::Inputs;

    fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
        broadcasts(shapes)
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        a / b
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy / &b), saved.needs(1).then(|| -(gy * (&a / &b)) / &b)]
    }
}

/// Sign change, `y = −x`.
pub(crate) struct NegOp;

impl<T: Float> Op<T, 1> for NegOp {
    const NAME: &'static str = "neg";
    const SAVE: Save = Save::Nothing;

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

/// An operator between whatever can stand on either side of it; at least one side is a variable.
macro_rules! operator {
    ($trait:ident, $method:ident, $op:ident, |$x:ident, $c:ident| $right_scalar:expr, $left_scalar:expr) => {
        impl<T: Float, R: Operand<T>> $trait<R> for &Var<T> {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, right: R) -> Var<T> {
                match right.resolve(self.tape()) {
                    Resolved::Var(right) => $op.of([self, &right]),
                    Resolved::Scalar($c) => {
                        let $x = self;
                        $right_scalar
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

        operator!(@left $trait, $method, f64, |left, $x| {
            let $c = left;
            $left_scalar
        });
        operator!(@left $trait, $method, &Param<T>, |left, right| (&*right.beside(&left)).$method(right));
        operator!(@left $trait, $method, &Tensor<T>, |left, right| right.constant(left).$method(right));
        operator!(@left $trait, $method, Tensor<T>, |left, right| right.constant(left).$method(right));
    };
    (@left $trait:ident, $method:ident, $left_type:ty, |$left:ident, $right:ident| $value:expr) => {
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

operator!(Add, add, AddOp, |x, c| x.add_scalar(c), x.add_scalar(c));
operator!(Sub, sub, SubOp, |x, c| x.add_scalar(-c), x.rsub_scalar(c));
operator!(Mul, mul, MulOp, |x, c| x.mul_scalar(c), x.mul_scalar(c));
operator!(Div, div, DivOp, |x, c| x.div_scalar(c), x.rdiv_scalar(c));
