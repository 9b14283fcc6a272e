//! A function as it was recorded, and the passes over it.

use super::super::backward::Pass;
use super::super::{Tape, Var};
use super::{Entered, Point, Value};
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::panic::Location;

/// A function as it was recorded at a point.
pub(super) struct Graph<T: Float> {
    op: &'static str,
    pub(super) tape: Tape<T>,
    pub(super) variables: Vec<Var<T>>,
    pub(super) y: Var<T>,
}

impl<T: Float> Graph<T> {
    #[track_caller]
    pub(super) fn new<P: Point<T> + ?Sized>(op: &'static str, f: impl FnOnce(&P::Input) -> Var<T>, x: &P) -> Self {
        let Entered { tape, input, variables } = x.enter();
        let y = f(&input);
        if !y.tape().is(&tape) {
            panics::two_tapes(op, &"the function's input", &y.place());
        }
        Graph { op, tape, variables, y }
    }

    /// The same, of a result of one element.
    #[track_caller]
    pub(super) fn scalar(self) -> Self {
        if self.y.value().len() != 1 {
            panics::not_scalar(self.op, self.y.shape(), &self.y.place());
        }
        self
    }

    pub(super) fn one(&self) -> Var<T> {
        self.tape.constant(Tensor::filled(self.y.value().dims(), T::ONE))
    }

    /// The gradient, recorded.
    #[track_caller]
    pub(super) fn gradient(&self) -> Vec<Var<T>> {
        pull_back(&self.y, &self.one(), &self.variables, Pass::Recorded)
    }

    /// A variable u and `uᵀJ`, which is linear in it.
    #[track_caller]
    pub(super) fn transposed(&self) -> (Var<T>, Vec<Var<T>>) {
        let u = self.tape.var(Tensor::zeros(self.y.shape()));
        let products = pull_back(&self.y, &u, &self.variables, Pass::Recorded);
        (u, products)
    }

    /// `Σ ⟨partₖ, directionₖ⟩`.
    #[track_caller]
    pub(super) fn inner_product<V: Value<T>>(&self, parts: &[Var<T>], direction: &[V]) -> Var<T> {
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
    pub(super) fn columns(&self) -> Vec<Tensor<T>> {
        let (u, products) = self.transposed();
        let outputs = self.y.value().len();
        let one = |(product, x): (&Var<T>, &Var<T>)| {
            let columns = rows(product, std::slice::from_ref(&u)).remove(0);
            let matrix = columns.reshape([x.value().len(), outputs]).transpose(0, 1);
            matrix.with_shape(self.y.shape().iter().chain(x.shape()).copied().collect())
        };
        products.iter().zip(&self.variables).map(one).collect()
    }
}

/// The pass that is the last of a transform at a point.
#[track_caller]
pub(super) fn last<T: Float, P: Point<T> + ?Sized>() -> Pass {
    if P::Value::RECORDED { Pass::Recorded } else { Pass::Values(Some(Location::caller())) }
}

/// The pass that others of the same transform follow.
pub(super) fn kept<T: Float, P: Point<T> + ?Sized>() -> Pass {
    if P::Value::RECORDED { Pass::Recorded } else { Pass::Values(None) }
}

pub(super) fn gather<T: Float, P: Point<T> + ?Sized>(x: &P, parts: &[Var<T>]) -> P::Gradient {
    x.gather(parts.iter().map(P::Value::of).collect())
}

/// Carries a cotangent of `y` back to each of the variables: zeros to those that it does not depend on.
#[track_caller]
pub(super) fn pull_back<T: Float>(y: &Var<T>, u: &Var<T>, to: &[Var<T>], pass: Pass) -> Vec<Var<T>> {
    let found = y.pulled_back(u, &to.iter().collect::<Vec<_>>(), pass);
    let or_zeros = |(part, x): (Option<Var<T>>, &Var<T>)| part.unwrap_or_else(|| x.constant(Tensor::zeros(x.shape())));
    found.into_iter().zip(to).map(or_zeros).collect()
}

/// The derivative of each element of `y` with respect to each variable, of the shape of `y` followed by that of the variable.
#[track_caller]
pub(super) fn rows<T: Float>(y: &Var<T>, variables: &[Var<T>]) -> Vec<Tensor<T>> {
    let mut rows: Vec<Vec<Tensor<T>>> = vec![Vec::new(); variables.len()];
    for k in 0..y.value().len() {
        let mut unit = Tensor::zeros(y.shape());
        unit.as_mut_slice()[k] = T::ONE;
        let row = pull_back(y, &y.constant(unit), variables, Pass::Values(None));
        rows.iter_mut().zip(&row).for_each(|(rows, part)| rows.push(Tensor::of(part)));
    }
    rows.iter().zip(variables).map(|(rows, x)| stack(rows.iter(), y.shape(), x.shape())).collect()
}

/// Tensors of one shape, one behind the other along axes of the shape `front`.
pub(super) fn stack<'a, T: Float>(
    parts: impl Iterator<Item = &'a Tensor<T>>,
    front: &[usize],
    shape: &[usize],
) -> Tensor<T> {
    let size: usize = shape.iter().product();
    Tensor::build(front.iter().chain(shape).copied().collect(), |all| {
        // Without elements there is nothing to copy, and no chunk to copy it to.
        all.chunks_exact_mut(size.max(1)).zip(parts).for_each(|(chunk, part)| chunk.copy_from_slice(part.as_slice()));
    })
}
