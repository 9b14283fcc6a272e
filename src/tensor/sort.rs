//! The order of the elements along an axis.

use super::{Float, Indices, Tensor, resolve_axis};
use crate::kernel::sort;
use crate::panics;

impl<T: Float> Tensor<T> {
    /// The positions of the first `count` elements along an axis in sorted order, or of all.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn order_along(&self, op: &str, axis: i128, count: Option<usize>, descending: bool) -> Indices {
        let axis = resolve_axis(op, axis, self.shape());
        let n = self.shape[axis];
        let count = count.unwrap_or(n);
        if count > n {
            panics::too_few_elements(op, count, axis, self.shape());
        }
        let mut shape = self.dims();
        shape[axis] = count;
        let inner = shape[axis + 1..].iter().product();
        let mut positions = vec![0; shape.iter().product()];
        sort::order(self.as_slice(), n, inner, count, descending, &mut positions);
        Indices::new(positions, shape.as_slice())
    }
}
