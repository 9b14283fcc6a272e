//! A value on a tape.

use crate::autograd::backward::{self, Pass, RowGradients, Targets};
use crate::autograd::gradient::Gradient;
use crate::autograd::gradients::Key;
use crate::autograd::tape::NodeId;
use crate::autograd::{Gradients, Op, Save, Saved, Tape, apply};
use crate::panics;
use crate::tensor::{Float, Tensor, View};
use std::fmt::{self, Debug, Display, Formatter};
use std::panic::Location;

/// A value on a [`Tape`], differentiable if it came from a variable or a parameter.
///
/// Its methods are listed [by subject](crate::ops#operations-by-subject), with formulas and derivatives.
///
/// Cloning is cheap: the value is shared. Operators work on borrowed and owned variables, and with
/// numbers on either side: `1.0 - &y * &y`; see [`Operand`](super::Operand). A variable stays on its thread; tensors, parameters and
/// gradients can be sent to others.
#[derive(Clone)]
#[must_use = "operations leave a variable as it is and return a new one"]
pub struct Var<T: Float = f32> {
    value: Tensor<T>,
    tape: Tape<T>,
    node: Option<NodeId>,
}

impl<T: Float> Var<T> {
    pub(crate) fn new(value: Tensor<T>, tape: Tape<T>, node: Option<NodeId>) -> Self {
        Var { value, tape, node }
    }

    pub(crate) fn node(&self) -> Option<NodeId> {
        self.node
    }

    /// The value.
    #[doc(alias("data", "numpy"))]
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// The value of a variable of one element, such as a loss.
    ///
    /// # Panics
    /// If there is more than one element, or none.
    #[track_caller]
    pub fn item(&self) -> T {
        self.value.item()
    }

    /// The tape that this is on.
    pub fn tape(&self) -> &Tape<T> {
        &self.tape
    }

    /// The same value as a constant: no gradient flows through it (`stop_gradient` in JAX).
    ///
    /// Truncated backpropagation through time cuts a long sequence into windows: the state is carried from one window to the
    /// next, the gradient is not.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let mut cell = Linear::new(2, 1, Init::Constant(0.4), &mut wengert::rng(0)); // of the input and the state
    /// let mut optimizer = Sgd::new(0.1);
    /// let sequence: Vec<f32> = (0..40).map(|t| (0.5 * t as f32).sin()).collect();
    ///
    /// let mut losses = Vec::new();
    /// for _ in 0..20 {
    ///     let mut state = Tensor::zeros([1]);
    ///     for window in sequence.windows(6).step_by(5) {
    ///         let tape = Tape::new();
    ///         let mut h = tape.constant(&state); // a constant: here the gradient ends
    ///         let mut loss = tape.constant(0.0);
    ///         for pair in window.windows(2) {
    ///             let input = Var::concat(&[tape.constant([pair[0]]), h], 0);
    ///             h = cell.forward(&input).tanh();
    ///             loss += (&h - pair[1]).square().sum(); // to predict the next value
    ///         }
    ///         losses.push(loss.item());
    ///         state = h.value().clone();
    ///         optimizer.step(&mut cell, &loss.backward());
    ///     }
    /// }
    /// assert!(losses[losses.len() - 1] < losses[0] / 4.0);
    /// ```
    ///
    /// Where the windows share a tape, `h = h.detach()` does the same.
    #[doc(alias = "stop_gradient")]
    #[track_caller]
    pub fn detach(&self) -> Var<T> {
        if let Some(id) = self.node {
            self.tape.diagnostics().detached.borrow_mut().push((id, Location::caller()));
        }
        Var { node: None, ..self.clone() }
    }

    /// The same value as a new variable, whose gradient does not count other uses of this one.
    #[track_caller]
    pub(crate) fn branch(&self) -> Var<T> {
        self.apply(Branch)
    }

    /// A constant on the same tape.
    pub fn constant(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        self.tape.constant(value)
    }

    /// Applies an operation of one input; see [`Op`].
    #[track_caller]
    pub fn apply(&self, op: impl Op<T, 1>) -> Var<T> {
        apply(op, [self])
    }

    /// Keeps the gradient of this intermediate result in backward passes, as that of a variable is kept.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = Tape::new().var([1.0, -2.0]);
    /// let h = x.square();
    /// h.retain_grad();
    /// let gradients = (&h * 3.0).sum().backward();
    /// assert_eq!(gradients[&h], tensor![3.0, 3.0]);
    /// assert_eq!(gradients[&x], tensor![6.0, -12.0]);
    /// ```
    pub fn retain_grad(&self) {
        self.tape.diagnostics().retained.borrow_mut().extend(self.node);
    }

    /// The gradients of this result of one element with respect to every variable and parameter behind it.
    ///
    /// Releases what the operations saved, so it can be called once; [`gradients`](Var::gradients) retains it.
    ///
    /// # Panics
    /// If there is not exactly one element, nothing was recorded, or part of the tape was released before.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(2.0), tape.var(3.0));
    /// let gradients = (&a * &b).backward();
    /// assert_eq!((gradients[&a].item(), gradients[&b].item()), (3.0, 2.0));
    /// ```
    #[doc(alias("zero_grad", "cleargrads"))]
    #[track_caller]
    pub fn backward(self) -> Gradients<T> {
        let at = Location::caller();
        self.all_gradients(Some(at))
    }

    /// Like [`backward`](Var::backward), but retains the tape for further passes.
    #[doc(alias = "retain_graph")]
    #[track_caller]
    pub fn gradients(&self) -> Gradients<T> {
        self.all_gradients(None)
    }

    #[track_caller]
    #[inline(never)]
    fn all_gradients(&self, release: Option<&'static Location<'static>>) -> Gradients<T> {
        let op = if release.is_some() { "backward" } else { "gradients" };
        if self.value.len() != 1 {
            panics::not_scalar(op, self.shape(), &self.place());
        }
        let Some(root) = self.node else { panics::not_recorded(op, &self.place()) };
        let seed = self.constant(Tensor::filled(self.value.dims(), T::ONE));
        let rows = RowGradients::default();
        let found = backward::walk(&self.tape, root, seed, Targets::Leaves(&rows), Pass::Values(release));
        let mut found: Vec<_> = found.into_iter().map(|(id, var)| (id, Gradient::Dense(var.value))).collect();
        for (leaf, rows) in rows.into_inner() {
            let rows = Gradient::of_rows(rows);
            match found.binary_search_by(|(id, _)| leaf.cmp(id)) {
                Ok(at) => found[at].1.add(rows),
                Err(at) => found.insert(at, (leaf, rows)),
            }
        }
        let missing = self.tape.missing_gradients(root, &found);
        // Parameters are mostly read in the order of their creation, by which the entries are sorted.
        let entries = found.into_iter().rev().map(|(id, gradient)| (Key::of(&self.tape, id), gradient));
        Gradients::collect(entries, missing, self.tape.take_buffer_notes())
    }

    /// The derivative of this result of one element with respect to `x`, as a variable on the same tape.
    ///
    /// The backward pass is recorded, so the result can be differentiated again, to any order.
    ///
    /// # Panics
    /// If there is not exactly one element, or this does not depend on `x`.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(0.5);
    /// let y = x.sin();
    /// let d3y = y.grad(&x).grad(&x).grad(&x);
    /// assert!((d3y.item() + 0.5f32.cos()).abs() < 1e-6);
    /// ```
    #[doc(alias("create_graph", "autograd.grad"))]
    #[track_caller]
    #[inline(never)]
    pub fn grad(&self, x: &Var<T>) -> Var<T> {
        if self.value.len() != 1 {
            panics::not_scalar("grad", self.shape(), &self.place());
        }
        if !x.tape.is(&self.tape) {
            panics::two_tapes("grad", &self.place(), &x.place());
        }
        if x.node.is_none() {
            panics::by_a_constant(&self.place());
        }
        let seed = self.constant(Tensor::filled(self.value.dims(), T::ONE));
        match self.vjp(&seed, &[x]).pop().flatten() {
            Some(gradient) => gradient,
            None => panics::does_not_depend(&self.place(), &x.place()),
        }
    }

    /// The product of the cotangent `u` with the Jacobian of this with respect to each of `xs`: `uᵀ ∂y/∂x`.
    ///
    /// One recorded backward pass; `None` for each `x` that this does not depend on. If `u` is a variable, differentiating the
    /// result with respect to it gives the forward-mode product.
    ///
    /// # Panics
    /// If `u` has another shape than this, or a variable is on another tape.
    #[track_caller]
    pub fn vjp(&self, u: &Var<T>, xs: &[&Var<T>]) -> Vec<Option<Var<T>>> {
        self.vjp_with(u, xs, Pass::Recorded)
    }

    /// [`vjp`](Var::vjp) by a pass of the given kind.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn vjp_with(&self, u: &Var<T>, xs: &[&Var<T>], pass: Pass) -> Vec<Option<Var<T>>> {
        if u.shape() != self.shape() {
            panics::cotangent_shape(u.shape(), self.shape());
        }
        if let Some(other) = xs.iter().copied().chain([u]).find(|x| !x.tape.is(&self.tape)) {
            panics::two_tapes("vjp", &self.place(), &other.place());
        }
        let Some(root) = self.node else { return vec![None; xs.len()] };
        let mut targets: Vec<NodeId> = xs.iter().filter_map(|x| x.node).collect();
        targets.sort_unstable();
        let found = backward::walk(&self.tape, root, u.clone(), Targets::Nodes(&targets), pass);
        // Nodes are found in descending order.
        let gradient = |x: &&Var<T>| {
            let node = x.node?;
            let at = found.binary_search_by(|(id, _)| node.cmp(id)).ok()?;
            Some(found[at].1.clone())
        };
        xs.iter().map(gradient).collect()
    }

    /// Adds a gradient to this one; in place if neither is recorded.
    #[track_caller]
    pub(crate) fn accumulate(&mut self, other: &Var<T>) {
        if self.node.is_some() || other.node.is_some() {
            *self = &*self + other;
        } else {
            self.value += &other.value;
        }
    }

    /// Adds a gradient to a part of this one in place; returns false if either is recorded.
    pub(crate) fn accumulate_part(&mut self, part: &View, gradient: &Var<T>) -> bool {
        let values = self.node.is_none() && gradient.node.is_none();
        if values {
            self.value.add_to_part(part, &gradient.value);
        }
        values
    }

    /// What this is and where it was recorded, for messages.
    pub(crate) fn place(&self) -> String {
        match self.node {
            Some(id) => self.tape.place(id),
            None => "a constant".into(),
        }
    }
}

/// `y = x`.
struct Branch;

impl<T: Float> Op<T, 1> for Branch {
    const NAME: &'static str = "input";
    const SAVE: Save = Save::Nothing;

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.clone()
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(gy.clone())]
    }
}

impl<T: Float> Display for Var<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Display::fmt(&self.value, f)
    }
}

impl<T: Float> Debug for Var<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "Var ({}) {:?}", self.place(), self.value)
    }
}
