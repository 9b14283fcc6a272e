//! Reading and writing single elements: `x[[i, j]]`.

use super::{Float, Tensor};
use crate::panics;
use std::ops::{Index, IndexMut};

impl<T: Float> Tensor<T> {
    /// The position of an element in [`as_slice`](Tensor::as_slice).
    #[track_caller]
    fn position(&self, index: &[usize]) -> usize {
        if index.len() != self.rank() || index.iter().zip(self.shape()).any(|(i, n)| i >= n) {
            panics::index_out_of_range(index, self.shape());
        }
        index.iter().zip(self.shape()).fold(0, |at, (i, n)| at * n + i)
    }
}

/// One element: `x[[i, j]]`, with an index for each axis.
///
/// # Panics
/// If the number of indices is not the number of axes, or an index is out of range.
impl<T: Float, const N: usize> Index<[usize; N]> for Tensor<T> {
    type Output = T;
    #[track_caller]
    fn index(&self, index: [usize; N]) -> &T {
        &self.as_slice()[self.position(&index)]
    }
}

impl<T: Float, const N: usize> IndexMut<[usize; N]> for Tensor<T> {
    #[track_caller]
    fn index_mut(&mut self, index: [usize; N]) -> &mut T {
        let at = self.position(&index);
        &mut self.as_mut_slice()[at]
    }
}
