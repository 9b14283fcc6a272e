//! Attention composed of other operations: for derivatives of any order, and for the weights themselves.

use super::{DropoutOfWeights, Scores};
use crate::autograd::Var;
use crate::ops::attention::layout::Layout;
use crate::tensor::{Dims, Float, Tensor, keepdim};

impl<T: Float> Scores<T> {
    /// The weights `[B, Hk, H / Hk, T, S]`, before dropout; all 0 for a query that may attend to nothing.
    #[track_caller]
    pub(crate) fn weights(&self, layout: &Layout, q: &Var<T>, k: &Var<T>) -> Var<T> {
        let full = layout.scores_shape();
        let mut scores = (q.multiply(k, false, true) * self.scale).with_shape(full.clone());
        for bias in self.biases.iter() {
            scores += bias;
        }
        if let Some(first) = self.causal {
            let (queries, keys) = (layout.sizes.queries, layout.sizes.keys);
            let hidden = Tensor::ones([queries, keys]).triu(first as isize + 1);
            scores = scores.masked_fill(&hidden, f64::NEG_INFINITY);
        }
        let weights = match empty_rows(scores.value()) {
            None => scores.softmax(-1),
            Some(empty) => {
                let empty = empty.expand_to(&full);
                scores.masked_fill(&empty, 0.0).softmax(-1).masked_fill(&empty, 0.0)
            }
        };
        let grouped = q.shape()[..3].iter().copied().chain([layout.sizes.queries, layout.sizes.keys]);
        weights.with_shape(grouped.collect())
    }

    /// The result for split operands, grouped as they are.
    #[track_caller]
    pub(super) fn value(&self, layout: &Layout, [q, k, v]: &[Var<T>; 3]) -> Var<T> {
        self.dropped(&self.weights(layout, q, k)).multiply(v, false, false)
    }

    /// Dropout of weights or of their gradient.
    #[track_caller]
    fn dropped(&self, weights: &Var<T>) -> Var<T> {
        match self.dropout {
            Some(DropoutOfWeights { rate, seed }) => weights.dropout_seeded(rate, seed),
            None => weights.clone(),
        }
    }

    /// The gradients of the split operands.
    #[track_caller]
    pub(crate) fn gradients(&self, layout: &Layout, [q, k, v]: &[Var<T>; 3], gy: &Var<T>) -> [Var<T>; 3] {
        let p = self.weights(layout, q, k);
        let gp = self.dropped(&gy.multiply(v, false, true));
        let weighted = &gp * &p;
        let gs = (&weighted - &p * weighted.sum_over(keepdim(-1))) * self.scale;
        let of_group = |x: Var<T>| x.sum_over(keepdim(2));
        [
            gs.multiply(k, false, false),
            of_group(gs.multiply(q, true, false)),
            of_group(self.dropped(&p).multiply(gy, true, false)),
        ]
    }
}

/// A mask of the rows whose scores are all −∞, or none; `[…, 1]`.
fn empty_rows<T: Float>(scores: &Tensor<T>) -> Option<Tensor<T>> {
    let (&n, rows) = scores.shape().split_last()?;
    let is_empty = |row: &[T]| row.iter().all(|&x| x == T::NEG_INFINITY);
    if n == 0 || !scores.as_slice().chunks_exact(n).any(is_empty) {
        return None;
    }
    let shape: Dims = rows.iter().copied().chain([1]).collect();
    Some(Tensor::build(shape, |y| {
        for (y, row) in y.iter_mut().zip(scores.as_slice().chunks_exact(n)) {
            *y = if is_empty(row) { T::ONE } else { T::ZERO };
        }
    }))
}
