//! Gradient hooks.

use crate::autograd::{Op, Save, Saved, Var};
use crate::tensor::{Float, Tensor};

/// The identity, whose rule is a function given by the user.
struct Hook<F>(F);

impl<T: Float, F: Fn(Var<T>) -> Var<T> + 'static> Op<T, 1> for Hook<F> {
    const NAME: &'static str = "hook";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.clone()
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some((self.0)(gy.clone()))]
    }
}

impl<T: Float> Var<T> {
    /// The same value, with a function that is called with its gradient and returns the gradient to propagate.
    ///
    /// Uses of the result go through the hook, other uses of `self` do not. In a recorded pass the gradient is a variable on the
    /// tape, and the hook is differentiated too.
    ///
    /// The hook belongs to the tape. If it captures a variable of that tape or the tape itself, the two own each other, and a tape on
    /// which [`backward`](Var::backward) does not release the hook is never freed, neither after [`grad`](Var::grad) or
    /// [`gradients`](Var::gradients) nor where there is no backward pass. A hook that needs a value captures the tensor,
    /// `let value = h.value().clone()`, which it can multiply with as it is.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use wengert::prelude::*;
    ///
    /// let largest = Rc::new(Cell::new(0.0));
    /// let seen = Rc::clone(&largest);
    /// let x = Tape::new().var([1.0, 2.0]);
    /// let h = x.square().hook(move |gradient| {
    ///     seen.set(gradient.value().max().item());
    ///     gradient.clamp(-1.0, 1.0)
    /// });
    /// let gradients = (h * 5.0).sum().backward();
    /// assert_eq!(largest.get(), 5.0);
    /// assert_eq!(gradients[&x], tensor![2.0, 4.0]); // 1 · 2x instead of 5 · 2x
    /// ```
    #[doc(alias = "register_hook")]
    #[track_caller]
    pub fn hook(&self, hook: impl Fn(Var<T>) -> Var<T> + 'static) -> Var<T> {
        self.apply(Hook(hook))
    }
}
