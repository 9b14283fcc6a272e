//! The forward pass.

use super::rows::{Running, exponentials, scale};
use super::{Block, KEYS, Problem, QUERIES, Sizes, Target, carve, for_each_task};
use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::Chunks;
use crate::kernel::matmul::gemm::gemm_serial;
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::softmax::shift;

/// Writes the attention of every query to `y`, and the logarithm of the sum of its exponentials to `logsumexp`, which has a chunk of
/// [`Sizes::block`] for each block of queries.
#[inline(never)]
pub(crate) fn forward<T: Float>(problem: &Problem<T>, y: Target<T>, logsumexp: &mut [T]) {
    let Sizes { batch, heads, keys, .. } = problem.sizes;
    let blocks = problem.sizes.blocks();
    let logsumexp = Chunks::new(logsumexp, problem.sizes.block());
    let fmas = problem.sizes.block() * keys * (problem.query.place.size + problem.value.place.size);
    for_each_task(batch * heads * blocks, fmas, |index| {
        let (row, block) = (index / blocks, index % blocks);
        let queries = problem.sizes.queries_of(block);
        let block = Block { batch: row / heads, head: row % heads, queries, keys: 0..0 };
        // SAFETY: each index is visited once.
        attend(problem, block, y, unsafe { logsumexp.get(index) });
    });
}

/// The attention of the queries of a block to all keys.
fn attend<T: Float>(problem: &Problem<T>, mut block: Block, y: Target<T>, logsumexp: &mut [T]) {
    let m = block.queries.len();
    let (size, value_size) = (problem.query.place.size, problem.value.place.size);
    let end = problem.visible(block.queries.end - 1);
    let width = KEYS.min(end);
    let mut running = Running::<T, QUERIES>::new();
    with_scratch(m * (size + width + value_size), |mut scratch: &mut [T]| {
        let queries = carve(&mut scratch, m * size);
        problem.scaled_queries(&block, queries);
        let (scores, sums) = scratch.split_at_mut(m * width);
        if end == 0 {
            sums.fill(T::ZERO);
        }
        for start in (0..end).step_by(KEYS) {
            block.keys = start..end.min(start + KEYS);
            let n = block.keys.len();
            let scores = &mut scores[..m * n];
            problem.scores(&block, queries, scores);
            exponentials(scores, n, &problem.limits(&block), &mut running);
            if let Some(dropout) = &problem.dropout {
                problem.drop(&block, dropout, scores);
            }
            if start > 0 {
                for (row, &factor) in sums.chunks_exact_mut(value_size).zip(&running.factors) {
                    row.iter_mut().for_each(|x| *x *= factor);
                }
            }
            let accum = if start == 0 { Accum::Replace } else { Accum::Add };
            let values = problem.value.matrix(block.batch, problem.kv_head(block.head), &block.keys);
            gemm_serial(Matrix::new(scores, m, n, false), values, accum, sums, value_size);
        }
        for (i, (row, query)) in sums.chunks_exact(value_size).zip(block.queries.clone()).enumerate() {
            let sum = running.sums[i];
            // A query that attends to nothing.
            let factor = if sum == 0.0 { T::ZERO } else { T::from_f64(1.0 / sum) };
            // SAFETY: no other task has this head and query.
            scale(row, factor, unsafe { y.vector(block.batch, block.head, query) });
            logsumexp[i] = shift(running.largest[i]) + T::from_f64(sum).ln();
        }
    });
}
