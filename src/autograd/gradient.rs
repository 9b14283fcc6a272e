//! One gradient: a tensor, or a list of rows.

use crate::tensor::{Float, SparseRows, Tensor};
use std::sync::OnceLock;

/// The gradient of a parameter or variable.
#[derive(Clone, Debug)]
pub(crate) enum Gradient<T: Float> {
    Dense(Tensor<T>),
    Rows {
        rows: SparseRows<T>,
        /// The same as a tensor, once it has been asked for.
        dense: OnceLock<Tensor<T>>,
    },
}

impl<T: Float> Gradient<T> {
    pub(crate) fn of_rows(rows: SparseRows<T>) -> Self {
        Gradient::Rows { rows, dense: OnceLock::new() }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Gradient::Dense(gradient) => gradient.shape(),
            Gradient::Rows { rows, .. } => rows.shape(),
        }
    }

    /// The rows, if it is a list of rows.
    pub(crate) fn rows(&self) -> Option<&SparseRows<T>> {
        match self {
            Gradient::Dense(_) => None,
            Gradient::Rows { rows, .. } => Some(rows),
        }
    }

    pub(crate) fn dense(&self) -> &Tensor<T> {
        match self {
            Gradient::Dense(gradient) => gradient,
            Gradient::Rows { rows, dense } => dense.get_or_init(|| rows.to_dense()),
        }
    }

    pub(crate) fn into_dense(self) -> Tensor<T> {
        match self {
            Gradient::Dense(gradient) => gradient,
            Gradient::Rows { rows, dense } => dense.into_inner().unwrap_or_else(|| rows.to_dense()),
        }
    }

    /// [`dense`](Gradient::dense), mutably; the rows are given up.
    pub(crate) fn dense_mut(&mut self) -> &mut Tensor<T> {
        match self {
            Gradient::Dense(gradient) => gradient,
            Gradient::Rows { rows, dense } => {
                *self = Gradient::Dense(dense.take().unwrap_or_else(|| rows.to_dense()));
                self.dense_mut()
            }
        }
    }

    /// The elements that can differ from 0.
    pub(crate) fn elements(&self) -> &[T] {
        match self {
            Gradient::Dense(gradient) => gradient.as_slice(),
            Gradient::Rows { rows, .. } => rows.values().as_slice(),
        }
    }

    /// [`elements`](Gradient::elements), mutably.
    pub(crate) fn elements_mut(&mut self) -> &mut [T] {
        match self {
            Gradient::Dense(gradient) => gradient.as_mut_slice(),
            Gradient::Rows { rows, dense } => {
                dense.take();
                rows.values_mut().as_mut_slice()
            }
        }
    }

    /// Adds another gradient of the same shape; the sum is a list of rows if both are.
    #[track_caller]
    pub(crate) fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Gradient::Dense(sum), Gradient::Dense(other)) => *sum += &other,
            (Gradient::Dense(sum), Gradient::Rows { rows, .. }) => rows.add_to(sum),
            (Gradient::Rows { rows, .. }, Gradient::Dense(mut sum)) => {
                rows.add_to(&mut sum);
                *self = Gradient::Dense(sum);
            }
            (Gradient::Rows { rows, .. }, Gradient::Rows { rows: other, .. }) => {
                *self = Gradient::of_rows(rows.plus(&other));
            }
        }
    }

    /// The inner product with another gradient of the same shape, summed in double precision.
    pub(crate) fn dot(&self, other: &Self) -> f64 {
        match (self, other) {
            (Gradient::Dense(a), Gradient::Dense(b)) => product(a.as_slice(), b.as_slice()),
            (Gradient::Rows { rows, .. }, other) | (other, Gradient::Rows { rows, .. }) => {
                let row = |index: usize| match other {
                    Gradient::Dense(other) => {
                        let size = rows.values().len() / rows.indices().len();
                        Some(&other.as_slice()[index * size..][..size])
                    }
                    Gradient::Rows { rows, .. } => rows.row(index),
                };
                let products = rows.indices().iter().map(|&index| match (rows.row(index), row(index)) {
                    (Some(a), Some(b)) => product(a, b),
                    _ => 0.0,
                });
                products.sum()
            }
        }
    }
}

fn product<T: Float>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}
