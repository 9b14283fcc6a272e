//! Arrays of indices as arguments.

use super::{Dims, IntoShape, resolve_shape};
use crate::panics;
use std::sync::Arc;

/// An array of indices along an axis, counted from 0: the argument of [`gather`](crate::Var::gather),
/// [`index`](crate::Var::index) and [`embedding`](crate::Var::embedding), and the order that [`sort`](crate::Var::sort) and
/// [`topk`](crate::Var::topk) find.
///
/// Numbers, arrays, nested arrays, slices and vectors convert to it; [`Indices::new`] gives a list any shape.
///
/// ```
/// use wengert::prelude::*;
///
/// let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(x.gather(1, [[0, 0], [2, 1]]), tensor![[1.0, 1.0], [6.0, 5.0]]);
/// // The score of the best class of each row, as a column.
/// let best = Indices::new(x.argmax(1), [-1, 1]);
/// assert_eq!(x.gather(1, best), tensor![[3.0], [6.0]]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Indices {
    /// Shared by clones, and by the operations that use them.
    values: Arc<Vec<usize>>,
    shape: Dims,
}

impl Indices {
    /// Indices of the given shape from a list in row-major order; one entry of the shape may be −1.
    ///
    /// # Panics
    /// If the number of indices is not the product of the shape.
    #[track_caller]
    pub fn new(values: impl Into<Vec<usize>>, shape: impl IntoShape) -> Self {
        let values = values.into();
        let shape = resolve_shape("Indices", shape, Some((values.len(), &[values.len()])));
        Indices { values: Arc::new(values), shape }
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The indices in row-major order.
    pub fn as_slice(&self) -> &[usize] {
        &self.values
    }

    /// The indices in row-major order, as a copy.
    #[doc(alias = "tolist")]
    pub fn to_vec(&self) -> Vec<usize> {
        self.values.to_vec()
    }

    /// The value of an array of one index.
    ///
    /// # Panics
    /// If there is more than one index, or none.
    #[track_caller]
    pub fn item(&self) -> usize {
        match self.values[..] {
            [index] => index,
            _ => panics::not_one_element("item", &self.shape),
        }
    }

    pub(super) fn shared(&self) -> Arc<Vec<usize>> {
        self.values.clone()
    }
}

impl From<usize> for Indices {
    fn from(position: usize) -> Self {
        Indices { values: Arc::new(vec![position]), shape: Dims::new() }
    }
}

impl From<Vec<usize>> for Indices {
    fn from(values: Vec<usize>) -> Self {
        Indices { shape: Dims::from_slice(&[values.len()]), values: Arc::new(values) }
    }
}

impl From<&[usize]> for Indices {
    fn from(values: &[usize]) -> Self {
        values.to_vec().into()
    }
}

impl From<&Vec<usize>> for Indices {
    fn from(values: &Vec<usize>) -> Self {
        values.clone().into()
    }
}

impl<const N: usize> From<&[usize; N]> for Indices {
    fn from(values: &[usize; N]) -> Self {
        values.to_vec().into()
    }
}

impl<const N: usize> From<[usize; N]> for Indices {
    fn from(values: [usize; N]) -> Self {
        values.to_vec().into()
    }
}

impl<const N: usize, const M: usize> From<[[usize; N]; M]> for Indices {
    fn from(rows: [[usize; N]; M]) -> Self {
        Indices { values: Arc::new(rows.as_flattened().to_vec()), shape: Dims::from_slice(&[M, N]) }
    }
}

impl From<&Indices> for Indices {
    fn from(indices: &Indices) -> Self {
        indices.clone()
    }
}
