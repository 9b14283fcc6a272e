//! Products along axes, differentiated without division, so that zeros need no special case.

use crate::autograd::Var;
use crate::tensor::{Axes, Float, Reduction, reduction_of};

impl<T: Float> Var<T> {
    /// The product of all elements; 1 for an empty input.
    #[track_caller]
    pub fn prod(&self) -> Var<T> {
        self.prod_over(..)
    }

    /// The product over [`Axes`]. The gradient of each element is the product of the others, even if some are 0.
    ///
    /// Multiplies one half of the elements by the other, log₂ n times; each step is an ordinary multiplication.
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([2.0, 0.0, 5.0]);
    /// assert_eq!(x.prod().grad(&x).value(), &tensor![0.0, 10.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod_over(&self, axes: impl Axes) -> Var<T> {
        self.product_of(&reduction_of("prod", self.shape(), &axes))
    }

    #[track_caller]
    #[inline(never)]
    fn product_of(&self, reduction: &Reduction) -> Var<T> {
        let mut factors = self.last(reduction);
        let mut rest: Option<Var<T>> = None;
        loop {
            let n = factors.shape()[factors.shape().len() - 1];
            if n == 0 {
                return self.sum_reduction(reduction) + 1.0;
            }
            let half = (n / 2) as isize;
            if n % 2 == 1 {
                let odd = factors.slice(-1, 2 * half..);
                rest = Some(match rest {
                    Some(rest) => rest * odd,
                    None => odd,
                });
            }
            if half == 0 {
                break;
            }
            factors = factors.slice(-1, ..half) * factors.slice(-1, half..2 * half);
        }
        let product = rest.expect("an odd number of factors is left in the end");
        product.with_shape(reduction.shape.clone())
    }
}
