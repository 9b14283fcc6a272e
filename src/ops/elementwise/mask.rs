//! Selection by a mask: `where` and `masked_fill`.

use crate::autograd::{Description, Op, Operand, Save, Saved, Var};
use crate::ops::macros::broadcasts;
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor, broadcast};

/// `y = a` where the mask is not 0, b elsewhere.
pub(crate) struct Where<T: Float> {
    mask: Tensor<T>,
}

impl<T: Float> Op<T, 2> for Where<T> {
    const NAME: &'static str = "where";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.mask("mask", &self.mask);
    }

    fn check(&self, [a, b]: [&[usize]; 2]) -> Result<(), String> {
        broadcasts([a, b])?;
        let common = broadcast(a, b).unwrap_or_default();
        broadcasts([&common, self.mask.shape()])
    }
    fn forward(&mut self, [a, b]: [&Tensor<T>; 2]) -> Tensor<T> {
        let common = broadcast(a.shape(), b.shape()).unwrap_or_default();
        let shape = broadcast(&common, self.mask.shape()).unwrap_or_default();
        let [mask, a, b] = [&self.mask, a, b].map(|x| x.expand_to(&shape));
        Tensor::build(shape, |y| {
            let choices = a.as_slice().iter().zip(b.as_slice()).zip(mask.as_slice());
            for (y, ((&a, &b), &mask)) in y.iter_mut().zip(choices) {
                *y = if mask != T::ZERO { a } else { b };
            }
        })
    }
    fn backward(&self, saved: &Saved<T, 2>, gy: &Var<T>) -> [Option<Var<T>>; 2] {
        let inverted = || self.mask.mask(|mask| mask == T::ZERO);
        [
            saved.needs(0).then(|| gy.masked_fill(&inverted(), 0.0)),
            saved.needs(1).then(|| gy.masked_fill(&self.mask, 0.0)),
        ]
    }
}

/// `y = value` where the mask is not 0, x elsewhere.
pub(crate) struct MaskedFill<T: Float> {
    mask: Tensor<T>,
    value: f64,
}

impl<T: Float> Op<T, 1> for MaskedFill<T> {
    const NAME: &'static str = "masked_fill";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.mask("mask", &self.mask).number("value", self.value);
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
    /// Replaces elements by `value` where the mask is not 0; the mask broadcasts to this shape.
    ///
    /// # Panics
    /// If the mask does not broadcast to this shape.
    #[doc(alias = "masked_fill_")]
    fn masked_fill(x, mask: &Tensor<T>, value: f64) = MaskedFill { mask: mask.clone(), value }.of([x]);
}

impl<T: Float> Var<T> {
    /// Selects elements of this where the mask is not 0 and of `other` elsewhere; all three shapes broadcast.
    ///
    /// PyTorch's `where`. Elements that are not selected get a gradient of 0, even if the incoming gradient is NaN.
    /// [`Tensor::mask`] makes masks.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([-2.0, 3.0]);
    /// let y = x.where_(&x.value().mask(|x| x > 0.0), &x * 0.1);
    /// assert_eq!(y.value(), &tensor![-0.2, 3.0]);
    /// ```
    #[doc(alias = "where")]
    #[track_caller]
    pub fn where_(&self, mask: &Tensor<T>, other: impl Operand<T>) -> Var<T> {
        Where { mask: mask.clone() }.of([self, &*self.resolve_operand(&other)])
    }
}

impl<T: Float> Tensor<T> {
    /// Selects elements of this where the mask is not 0 and of `other` elsewhere; all three shapes broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = tensor![-2.0, 3.0];
    /// assert_eq!(x.where_(&x.mask(|x| x > 0.0), 0.5), tensor![0.5, 3.0]);
    /// ```
    #[doc(alias = "where")]
    #[track_caller]
    pub fn where_(&self, mask: &Tensor<T>, other: impl Into<Tensor<T>>) -> Tensor<T> {
        Where { mask: mask.clone() }.of([self, &other.into()])
    }
}
