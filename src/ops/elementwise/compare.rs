//! Choosing between values: maximum, minimum, clamp, and by a mask.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::macros::broadcasts;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor, broadcast};

broadcasting! {
    /// The larger of two values; the shapes broadcast. At a tie each side gets half of the gradient. NaN if either is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    maximum: Maximum { x, other => x.zip(other, T::maximum); Inputs: |saved, gy| {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * share(&a, &b)), saved.needs(1).then(|| gy * share(&b, &a))]
    } }
    /// The smaller of two values; the shapes broadcast. At a tie each side gets half of the gradient. NaN if either is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    minimum: Minimum { x, other => x.zip(other, T::minimum); Inputs: |saved, gy| {
        let [a, b] = saved.inputs();
        [saved.needs(0).then(|| gy * share(&b, &a)), saved.needs(1).then(|| gy * share(&a, &b))]
    } }
}

/// 1 where `a` is the larger one, 0 where it is the smaller, ½ at a tie; beside a NaN, which both pass on, 1 as in PyTorch.
fn share<T: Float>(a: &Var<T>, b: &Var<T>) -> Tensor<T> {
    let half = T::from_f64(0.5);
    a.value().zip(b.value(), |a, b| {
        if a == b {
            half
        } else if a < b {
            T::ZERO
        } else {
            T::ONE
        }
    })
}

/// Cut off at two bounds; the gradient is 0 at the bounds and beyond.
pub(crate) struct Clamp {
    low: f64,
    high: f64,
}

impl<T: Float> Op<T, 1> for Clamp {
    const NAME: &'static str = "clamp";
    const SAVE: Save = Save::Inputs;

    fn describe(&self, description: &mut Description) {
        description.number("low", self.low).number("high", self.high);
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let (low, high) = (T::from_f64(self.low), T::from_f64(self.high));
        x.map(|x| x.maximum(low).minimum(high))
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        let (low, high) = (T::from_f64(self.low), T::from_f64(self.high));
        [Some(gy.masked_fill(&saved.input(0).value().mask(|x| x <= low || x >= high), 0.0))]
    }
}

/// One of two values, as a mask says.
pub(crate) struct Where<T: Float> {
    mask: Tensor<T>,
}

impl<T: Float> Op<T, 2> for Where<T> {
    const NAME: &'static str = "where_mask";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("mask", &self.mask.shape());
    }

    fn check(&self, [a, b]: [&[usize]; 2]) -> Result<(), String> {
        broadcasts([a, b])?;
        let common = broadcast(a, b).unwrap_or_default();
        broadcasts([&common, self.mask.shape()])
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        let common = broadcast(a.shape(), b.shape()).unwrap_or_default();
        let shape = broadcast(&common, self.mask.shape()).unwrap_or_default();
        let [mask, a, b] = [&self.mask, a, b].map(|x| x.expanded(&shape));
        Tensor::build(shape, |y| {
            let choices = a.as_slice().iter().zip(b.as_slice()).zip(mask.as_slice());
            for (y, ((&a, &b), &mask)) in y.iter_mut().zip(choices) {
                *y = if mask != T::ZERO { a } else { b };
            }
        })
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let not = || self.mask.map(|mask| if mask == T::ZERO { T::ONE } else { T::ZERO });
        [saved.needs(0).then(|| gy.masked_fill(&not(), 0.0)), saved.needs(1).then(|| gy.masked_fill(&self.mask, 0.0))]
    }
}

/// A number where a mask is set.
pub(crate) struct MaskedFill<T: Float> {
    mask: Tensor<T>,
    value: f64,
}

impl<T: Float> Op<T, 1> for MaskedFill<T> {
    const NAME: &'static str = "masked_fill";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.field("mask", &self.mask.shape()).number("value", self.value);
    }

    fn check(&self, [x]: [&[usize]; 1]) -> Result<(), String> {
        let fits = broadcast(x, self.mask.shape()).is_some_and(|common| common.as_slice() == x);
        if fits { Ok(()) } else { Err(panics::mask_does_not_fit(self.mask.shape(), x)) }
    }
    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let value = T::from_f64(self.value);
        x.zip(&self.mask, |x, mask| if mask != T::ZERO { value } else { x })
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.masked_fill(&self.mask, 0.0))]
    }
}

functions! {
    /// Cut off at two bounds, either of which may be infinite; the gradient is 0 at the bounds and beyond.
    fn clamp(x, low: f64, high: f64) = Clamp { low, high }.of([x]);
    /// `value` where the mask is not 0, this elsewhere; the mask broadcasts to this shape.
    ///
    /// # Panics
    /// If the mask does not broadcast to this shape.
    fn masked_fill(x, mask: &Tensor<T>, value: f64) = MaskedFill { mask: mask.clone(), value }.of([x]);
}

impl<T: Float> Var<T> {
    /// This where the mask is not 0, and `other` where it is; all three shapes broadcast.
    ///
    /// What is not chosen gets no gradient, not even a NaN. [`Tensor::mask`] makes masks.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([-2.0, 3.0]);
    /// let y = x.where_mask(&x.value().mask(|x| x > 0.0), &x * 0.1);
    /// assert_eq!(y.value(), &tensor![-0.2, 3.0]);
    /// ```
    #[track_caller]
    pub fn where_mask(&self, mask: &Tensor<T>, other: impl Operand<T>) -> Var<T> {
        Where { mask: mask.clone() }.of([self, &*self.beside(&other)])
    }
}

impl<T: Float> Tensor<T> {
    /// This where the mask is not 0, and `other` where it is; all three shapes broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = tensor![-2.0, 3.0];
    /// assert_eq!(x.where_mask(&x.mask(|x| x > 0.0), 0.5), tensor![0.5, 3.0]);
    /// ```
    #[track_caller]
    pub fn where_mask(&self, mask: &Tensor<T>, other: impl Into<Tensor<T>>) -> Tensor<T> {
        Where { mask: mask.clone() }.of([self, &other.into()])
    }
}
