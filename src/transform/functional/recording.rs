//! The recording of a function, and passes over it.

use crate::autograd::backward::Pass;
use crate::autograd::{Tape, Var};
use crate::panics;
use crate::tensor::{Float, Tensor};
use crate::transform::functional::{Lifted, Primal, Value};
use std::panic::Location;

/// The recording of a function at a point.
pub(crate) struct Recording<T: Float> {
    op: &'static str,
    pub(crate) tape: Tape<T>,
    pub(crate) variables: Vec<Var<T>>,
    pub(crate) y: Var<T>,
}

impl<T: Float> Recording<T> {
    #[track_caller]
    pub(crate) fn new<P: Primal<T> + ?Sized>(op: &'static str, f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> Self {
        let Lifted { tape, input, variables } = x.lift();
        let y = f(&input);
        if !y.tape().is(&tape) {
            panics::two_tapes(op, &"the function's input", &y.place());
        }
        Recording { op, tape, variables, y }
    }

    /// Checks that the result has one element.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn scalar(self) -> Self {
        if self.y.value().len() != 1 {
            panics::not_scalar(self.op, self.y.shape(), &self.y.place());
        }
        self
    }

    pub(crate) fn one(&self) -> Var<T> {
        self.tape.constant(Tensor::filled(self.y.value().dims(), T::ONE))
    }

    /// The gradient, recorded.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn gradient(&self) -> Vec<Var<T>> {
        pull_back(&self.y, &self.one(), &self.variables, Pass::Recorded)
    }

    /// A variable u and `uᵀJ`, which is linear in it.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn transposed(&self) -> (Var<T>, Vec<Var<T>>) {
        let u = self.tape.var(Tensor::zeros(self.y.shape()));
        let products = pull_back(&self.y, &u, &self.variables, Pass::Recorded);
        (u, products)
    }

    /// `Σ ⟨partₖ, directionₖ⟩`.
    #[track_caller]
    pub(crate) fn inner_product<V: Value<T>>(&self, parts: &[Var<T>], direction: &[V]) -> Var<T> {
        if parts.len() != direction.len() {
            panics::direction_count(self.op, direction.len(), parts.len());
        }
        let mut sum = self.tape.constant(0.0);
        for (part, v) in parts.iter().zip(direction) {
            let v = v.on(&self.tape);
            if v.shape() != part.shape() {
                panics::direction_shape(self.op, v.shape(), part.shape());
            }
            sum = sum + (part * v).sum();
        }
        sum
    }

    /// The Jacobian with respect to each variable, column by column.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn columns(&self, pass: Pass) -> Vec<Var<T>> {
        let (u, products) = self.transposed();
        let outputs = self.y.value().len();
        let mut jacobians = Vec::new();
        for (product, x) in products.iter().zip(&self.variables) {
            let columns = rows(product, std::slice::from_ref(&u), pass).remove(0);
            let matrix = columns.reshape([x.value().len(), outputs]).transpose(0, 1);
            jacobians.push(matrix.reshape([self.y.shape(), x.shape()].concat()));
        }
        jacobians
    }
}

/// The last pass of a transform, which releases the recording.
#[track_caller]
pub(crate) fn release<T: Float, P: Primal<T> + ?Sized>() -> Pass {
    if P::Value::RECORDED { Pass::Recorded } else { Pass::Values(Some(Location::caller())) }
}

/// A pass that others follow: it retains the recording.
pub(crate) fn retain<T: Float, P: Primal<T> + ?Sized>() -> Pass {
    if P::Value::RECORDED { Pass::Recorded } else { Pass::Values(None) }
}

pub(crate) fn unflatten<T: Float, P: Primal<T> + ?Sized>(x: &P, parts: &[Var<T>]) -> P::Gradient {
    x.unflatten(parts.iter().map(P::Value::of).collect())
}

/// The vector-Jacobian product with respect to each variable; zeros where `y` does not depend on it.
#[track_caller]
#[inline(never)]
pub(crate) fn pull_back<T: Float>(y: &Var<T>, u: &Var<T>, to: &[Var<T>], pass: Pass) -> Vec<Var<T>> {
    let found = y.vjp_with(u, &to.iter().collect::<Vec<_>>(), pass);
    let or_zeros = |(part, x): (Option<Var<T>>, &Var<T>)| part.unwrap_or_else(|| x.constant(Tensor::zeros(x.shape())));
    found.into_iter().zip(to).map(or_zeros).collect()
}

/// The derivative of each element of `y` with respect to each variable, with the shape of `y` followed by that of the variable.
#[track_caller]
#[inline(never)]
pub(crate) fn rows<T: Float>(y: &Var<T>, variables: &[Var<T>], pass: Pass) -> Vec<Var<T>> {
    let mut rows: Vec<Vec<Var<T>>> = Vec::new();
    for k in 0..y.value().len() {
        let mut unit = Tensor::zeros(y.shape());
        unit.as_mut_slice()[k] = T::ONE;
        rows.push(pull_back(y, &y.constant(unit), variables, pass));
    }
    let mut jacobians = Vec::new();
    for (k, x) in variables.iter().enumerate() {
        let shape = [y.shape(), x.shape()].concat();
        let of_x: Vec<&Var<T>> = rows.iter().map(|row| &row[k]).collect();
        jacobians.push(match of_x.is_empty() {
            true => y.constant(Tensor::zeros(shape)),
            false => Var::stack(&of_x, 0).reshape(shape),
        });
    }
    jacobians
}
