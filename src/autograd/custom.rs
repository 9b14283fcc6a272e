//! One-off custom operations.

use crate::autograd::apply::{AnyOp, InputGradients, apply_any};
use crate::autograd::op::BackwardContext;
use crate::autograd::{Save, Saved, Var};
use crate::tensor::{Float, Tensor};

/// Two closures as an operation.
struct Custom<F, B, const N: usize> {
    name: &'static str,
    /// `None` once it has run.
    forward: Option<F>,
    backward: B,
}

impl<T: Float, F, B, const N: usize> AnyOp<T> for Custom<F, B, N>
where
    F: FnOnce([&Tensor<T>; N]) -> Tensor<T> + 'static,
    B: Fn(&Saved<T, N>, &Var<T>) -> [Option<Var<T>>; N] + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn save(&self) -> Save {
        Save::InputsAndOutput
    }
    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        let forward = self.forward.take().expect("an operation is applied once");
        Ok(forward(std::array::from_fn(|k| inputs[k])))
    }
    fn backward(&self, saved: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        gradients.extend((self.backward)(&Saved::of(saved), gy));
    }
}

/// A one-off custom operation: its name, its inputs, its value, and the rule for its gradient.
///
/// The rule may read all inputs and the output, which are saved. Written in operations on [`Var`]s it is differentiable to any
/// order. To reuse an operation, or to save less, implement [`Op`](super::Op).
///
/// The rule belongs to the tape, so it must not capture a variable of that tape or the tape itself: they would own each other, and
/// only [`backward`](Var::backward) drops a rule. After [`grad`](Var::grad) or [`gradients`](Var::gradients), or without a
/// backward pass, the tape would never be freed. Pass variables that the rule reads as inputs (`saved.input(1)`, with `None` for a
/// gradient that is not needed), and capture constants as tensors, `let mask = mask.value().clone()`.
///
/// Gradient reversal (Ganin and Lempitsky 2015), for features that do not distinguish domains: the identity, whose gradient has
/// the opposite sign.
///
/// ```
/// use wengert::autograd::custom;
/// use wengert::prelude::*;
///
/// fn reversed(x: &Var, strength: f64) -> Var {
///     custom("reverse_gradient", [x], |[x]| x.clone(), move |_, gy| [Some(-strength * gy)])
/// }
///
/// let tape = Tape::new();
/// let features = tape.var([1.0, -2.0]);
/// let loss = features.sum() + reversed(&features, 0.5).square().sum();
/// assert_eq!(loss.grad(&features).value(), &tensor![0.0, 3.0]); // 1 − 0.5 · 2x
/// assert!(tape.to_string().contains("reverse_gradient(%0)"));
/// ```
///
/// A straight-through estimator (Bengio, Léonard and Courville 2013) rounds, and lets the gradient pass:
///
/// ```
/// # use wengert::autograd::custom;
/// # use wengert::prelude::*;
/// let x = Tape::new().var([0.4, 1.7]);
/// let rounded = custom("straight_through", [&x], |[x]| x.map(f32::round), |_, gy| [Some(gy.clone())]);
/// assert_eq!(rounded.value(), &tensor![0.0, 2.0]);
/// assert_eq!(rounded.sum().grad(&x).value(), &tensor![1.0, 1.0]);
/// ```
///
/// # Panics
/// If the inputs are on different tapes.
#[doc(alias("custom_vjp", "custom_gradient"))]
#[track_caller]
pub fn custom<T: Float, const N: usize>(
    name: &'static str,
    inputs: [&Var<T>; N],
    forward: impl FnOnce([&Tensor<T>; N]) -> Tensor<T> + 'static,
    backward: impl Fn(&Saved<T, N>, &Var<T>) -> [Option<Var<T>>; N] + 'static,
) -> Var<T> {
    apply_any(Custom { name, forward: Some(forward), backward }, &inputs)
}
