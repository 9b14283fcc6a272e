//! Concatenation and stacking; the gradient of each input is its slice.

use crate::autograd::apply::{AnyOp, InputGradients, apply_any};
use crate::autograd::op::BackwardContext;
use crate::autograd::{Description, Save, Var};
use crate::panics;
use crate::tensor::{AxisIndex, Float, Tensor, joins, resolve_axis, resolve_new_axis, stacks};
use std::borrow::Borrow;

/// Joins values along an existing axis.
pub(crate) struct Concat {
    axis: usize,
    /// The sizes of the inputs on that axis.
    sizes: Vec<usize>,
}

impl<T: Float> AnyOp<T> for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn save(&self) -> Save {
        Save::Nothing
    }

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis).field("sizes", &self.sizes);
    }

    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        joins(inputs, self.axis)?;
        self.sizes = inputs.iter().map(|x| x.shape()[self.axis]).collect();
        Ok(Tensor::concat_with(inputs, self.axis))
    }
    fn backward(&self, saved: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        let mut end = 0;
        let gradient = |(k, &size): (usize, &usize)| {
            end += size;
            saved.needs(k).then(|| gy.narrow(self.axis, end - size..end))
        };
        gradients.extend(self.sizes.iter().enumerate().map(gradient));
    }
}

/// Joins values of the same shape along a new axis.
pub(crate) struct Stack {
    axis: usize,
    count: usize,
}

impl<T: Float> AnyOp<T> for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }
    fn save(&self) -> Save {
        Save::Nothing
    }

    fn describe(&self, description: &mut Description) {
        description.integer("axis", self.axis).field("count", &self.count);
    }

    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        stacks(inputs)?;
        Ok(Tensor::stack_with(inputs, self.axis))
    }
    fn backward(&self, saved: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        gradients.extend((0..self.count).map(|k| saved.needs(k).then(|| gy.select(self.axis, k))));
    }
}

impl<T: Float> Var<T> {
    /// Joins values along an axis; their sizes may differ on that axis only. PyTorch's `cat`.
    ///
    /// # Panics
    /// If there are no values, the axis is out of range, other sizes differ, or the values are on different tapes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let (x, y) = (tape.var([[1.0], [2.0]]), tape.var([[3.0, 4.0], [5.0, 6.0]]));
    /// let joined = Var::concat(&[&x, &y], 1);
    /// assert_eq!(joined.value(), &tensor![[1.0, 3.0, 4.0], [2.0, 5.0, 6.0]]);
    /// assert_eq!(joined.square().sum().grad(&x).value(), &tensor![[2.0], [4.0]]);
    /// ```
    #[doc(alias = "cat")]
    #[doc(alias = "concatenate")]
    #[track_caller]
    pub fn concat(values: &[impl Borrow<Var<T>>], axis: impl AxisIndex) -> Var<T> {
        let values: Vec<&Var<T>> = values.iter().map(Borrow::borrow).collect();
        let Some(first) = values.first() else { panics::nothing_to_join("concat") };
        let axis = resolve_axis("concat", axis.index(), first.shape());
        apply_any(Concat { axis, sizes: Vec::new() }, &values)
    }

    /// Joins values of the same shape along a new axis at the given position; −1 makes it the last.
    ///
    /// # Panics
    /// If there are no values, the position is out of range, the shapes differ, or the values are on different tapes.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let losses = [tape.var(1.0), tape.var(2.0)];
    /// assert_eq!(Var::stack(&losses, 0).value(), &tensor![1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn stack(values: &[impl Borrow<Var<T>>], axis: impl AxisIndex) -> Var<T> {
        let values: Vec<&Var<T>> = values.iter().map(Borrow::borrow).collect();
        let Some(first) = values.first() else { panics::nothing_to_join("stack") };
        let axis = resolve_new_axis("stack", axis.index(), first.shape());
        apply_any(Stack { axis, count: values.len() }, &values)
    }
}
