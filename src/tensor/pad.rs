//! Padding.

use super::{Dims, Float, Tensor, View, checked_shape};
use crate::kernel::base::memory::reserved;
use crate::panics;

/// The elements that [`pad`](crate::Var::pad) puts around a value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PadMode {
    /// A number: `c c | a b c d | c c` for 0 is `0 0 | a b c d | 0 0`.
    Constant(f64),
    /// The mirror image, excluding the edge: `c b | a b c d | c b`.
    Reflect,
    /// The edge element: `a a | a b c d | d d`.
    Replicate,
    /// The elements of the opposite end: `c d | a b c d | a b`.
    Circular,
}

/// The padded axes, each with its padding before and after.
#[track_caller]
pub(crate) fn padding(shape: &[usize], pairs: &[(usize, usize)]) -> Vec<(usize, usize, usize)> {
    if pairs.len() > shape.len() {
        panics::pad_count(pairs.len(), shape);
    }
    let axes = (0..shape.len()).rev().zip(pairs);
    let mut whole = Dims::from_slice(shape);
    for (axis, &(before, after)) in axes.clone() {
        whole[axis] = whole[axis].saturating_add(before).saturating_add(after);
    }
    checked_shape("pad", whole);
    axes.map(|(axis, &(before, after))| (axis, before, after)).filter(|(_, b, a)| b + a > 0).collect()
}

/// The padded shape, and a view of the value in it.
pub(crate) fn padded(shape: &[usize], padding: &[(usize, usize, usize)]) -> (Dims, View) {
    let mut whole = Dims::from_slice(shape);
    padding.iter().for_each(|(axis, before, after)| whole[*axis] += before + after);
    let mut view = View::contiguous(&whole);
    view.offset = padding.iter().map(|(axis, before, _)| before * view.strides[*axis] as usize).sum();
    view.shape = Dims::from_slice(shape);
    (whole, view)
}

impl PadMode {
    /// The source of each position of a padded axis, for the modes that repeat elements.
    #[track_caller]
    pub(crate) fn positions(self, shape: &[usize], (axis, before, after): (usize, usize, usize)) -> Vec<usize> {
        let n = shape[axis] as isize;
        let most = match self {
            PadMode::Reflect => (n - 1).max(0),
            PadMode::Circular => n,
            PadMode::Replicate if n > 0 => isize::MAX,
            _ => 0,
        };
        if before.max(after) as isize > most {
            panics::pad_size(&self, before, after, most, axis, shape);
        }
        let position = |k: isize| match self {
            PadMode::Reflect if k < 0 => -k,
            PadMode::Reflect if k >= n => 2 * (n - 1) - k,
            PadMode::Circular => k.rem_euclid(n),
            _ => k.clamp(0, n - 1),
        };
        let mut positions = reserved(before + shape[axis] + after);
        positions.extend((-(before as isize)..n + after as isize).map(|k| position(k) as usize));
        positions
    }
}

impl<T: Float> Tensor<T> {
    /// Pads axes by pairs of sizes (before, after), starting with the **last** axis, as in PyTorch.
    ///
    /// # Panics
    /// If there are more pairs than axes, or the padding is too large for the mode.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// assert_eq!(tensor![1.0, 2.0].pad(&[(1, 2)], PadMode::Constant(0.0)), tensor![0.0, 1.0, 2.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn pad(&self, pairs: &[(usize, usize)], mode: PadMode) -> Self {
        let padding = padding(self.shape(), pairs);
        if let PadMode::Constant(value) = mode {
            let (shape, view) = padded(self.shape(), &padding);
            return self.pad_by(&view, &shape, value);
        }
        let mut y = self.clone();
        for part in padding {
            y = y.index_select(part.0, &mode.positions(self.shape(), part));
        }
        y
    }
}
