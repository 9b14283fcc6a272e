//! The backward pass.

use super::rows::{dot, scale, score_gradients, weights};
use super::{Block, KEYS, Place, Problem, QUERIES, Sizes, Target, Vectors, carve, for_each_task};
use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::Chunks;
use crate::kernel::matmul::gemm::gemm_serial;
use crate::kernel::matmul::product::{Accum, Matrix};
use std::ops::Range;

/// Parts of the keys of a sequence at most, which are processed in parallel if there are few sequences and heads.
const MAX_PARTS: usize = 8;

/// The gradients to write.
pub(crate) struct Gradients<'a, T> {
    pub(crate) query: Target<'a, T>,
    pub(crate) key: Target<'a, T>,
    pub(crate) value: Target<'a, T>,
}

/// The forward pass: its result, the gradient of that, and the logarithms of the sums of exponentials, as [`forward`](super::forward)
/// writes them.
pub(crate) struct Results<'a, T> {
    pub(crate) y: Vectors<'a, T>,
    pub(crate) gy: Vectors<'a, T>,
    pub(crate) logsumexp: &'a [T],
}

/// Writes the gradients of the attention.
///
/// With the weights P and D = Σ gy y for each query: `gV = Pᵀ gY`, `gS = P ∘ (gY Vᵀ − D)`, `gQ = gS K` and `gK = gSᵀ Q`.
#[inline(never)]
pub(crate) fn backward<T: Float>(problem: &Problem<T>, results: &Results<T>, gradients: &Gradients<T>) {
    let Sizes { batch, heads, kv_heads, queries, keys } = problem.sizes;
    let size = problem.query.place.size;
    // At least so many tasks that eight threads have work; each part has its own sum for the queries.
    let parts = MAX_PARTS.div_ceil((batch * kv_heads).max(1)).min(keys.div_ceil(KEYS)).max(1);
    let part = keys.div_ceil(parts).next_multiple_of(KEYS.min(keys.max(1)));
    let fmas = queries * part * heads / kv_heads * (3 * size + 2 * problem.value.place.size);
    // `step` elements lie between the sums of two parts.
    let run = |query: Target<T>, step: usize| {
        for_each_task(batch * kv_heads * parts, fmas, |index| {
            let (row, index) = (index / parts, index % parts);
            let keys = (index * part).min(keys)..((index + 1) * part).min(keys);
            let place = Place { offset: query.place.offset + index * step, ..query.place };
            let query = Target { place, ..query };
            Task { problem, results, gradients, query, batch: row / kv_heads, kv_head: row % kv_heads, keys }.run();
        });
    };
    if parts == 1 {
        return run(gradients.query, 0);
    }
    let length = batch * heads * queries * size;
    with_scratch(parts * length, |sums: &mut [T]| {
        let place = Place { offset: 0, batch: heads * queries * size, head: queries * size, position: size, size };
        run(Target { chunks: &Chunks::new(sums, size), place }, length);
        for_each_task(batch * heads, queries * size * parts, |row| {
            for query in 0..queries {
                let at = (row * queries + query) * size;
                // SAFETY: no other task has this head.
                let total = unsafe { gradients.query.vector(row / heads, row % heads, query) };
                total.copy_from_slice(&sums[at..at + size]);
                for part in 1..parts {
                    let part = &sums[part * length + at..][..size];
                    total.iter_mut().zip(part).for_each(|(total, &x)| *total += x);
                }
            }
        });
    });
}

/// Some keys of a head, and all queries that attend to them.
struct Task<'a, T> {
    problem: &'a Problem<'a, T>,
    results: &'a Results<'a, T>,
    gradients: &'a Gradients<'a, T>,
    /// Where the sums for the queries go.
    query: Target<'a, T>,
    batch: usize,
    kv_head: usize,
    keys: Range<usize>,
}

/// The temporary memory of a task.
struct Scratch<'a, T> {
    /// The scaled queries of a block.
    queries: &'a mut [T],
    /// The weights of a block, then the gradient of the scores.
    weights: &'a mut [T],
    /// The gradient of the weights.
    gradient: &'a mut [T],
    /// The weights after dropout.
    dropped: &'a mut [T],
    query: &'a mut [T],
    key: &'a mut [T],
    value: &'a mut [T],
}

impl<T: Float> Task<'_, T> {
    fn run(&self) {
        let (size, value_size) = (self.problem.query.place.size, self.problem.value.place.size);
        let (m, n, keys) = (self.problem.sizes.block(), KEYS.min(self.keys.len()), self.keys.len());
        let dropped = if self.problem.dropout.is_some() { m * n } else { 0 };
        let lengths = [m * size, m * n, m * n, dropped, m * size, keys * size, keys * value_size];
        with_scratch(lengths.iter().sum(), |mut scratch: &mut [T]| {
            let [queries, weights, gradient, dropped, query, key, value] =
                lengths.map(|length| carve(&mut scratch, length));
            key.fill(T::ZERO);
            value.fill(T::ZERO);
            let mut scratch = Scratch { queries, weights, gradient, dropped, query, key, value };
            let Sizes { heads, kv_heads, .. } = self.problem.sizes;
            let group = heads / kv_heads;
            for head in self.kv_head * group..(self.kv_head + 1) * group {
                for block in 0..self.problem.sizes.blocks() {
                    self.block(head, block, &mut scratch);
                }
            }
            for (i, position) in self.keys.clone().enumerate() {
                // SAFETY: no other task has this head and key.
                let (key, value) = unsafe {
                    (
                        self.gradients.key.vector(self.batch, self.kv_head, position),
                        self.gradients.value.vector(self.batch, self.kv_head, position),
                    )
                };
                key.copy_from_slice(&scratch.key[i * size..][..size]);
                value.copy_from_slice(&scratch.value[i * value_size..][..value_size]);
            }
        });
    }

    /// Adds the gradients of a block of queries of a head to those of the keys, and writes its own.
    fn block(&self, head: usize, index: usize, scratch: &mut Scratch<T>) {
        let (problem, Results { y, gy, logsumexp }) = (self.problem, self.results);
        let (size, m) = (problem.query.place.size, problem.sizes.block());
        let mut block = Block { batch: self.batch, head, queries: problem.sizes.queries_of(index), keys: 0..0 };
        let end = problem.visible(block.queries.end - 1).min(self.keys.end);
        let query = &mut scratch.query[..block.queries.len() * size];
        query.fill(T::ZERO);
        if self.keys.start < end {
            let first = (self.batch * problem.sizes.heads + head) * problem.sizes.blocks() + index;
            let mut deltas = [T::ZERO; QUERIES];
            for (delta, position) in deltas.iter_mut().zip(block.queries.clone()) {
                *delta = dot(y.vector(self.batch, head, position), gy.vector(self.batch, head, position));
            }
            problem.scaled_queries(&block, &mut scratch.queries[..block.queries.len() * size]);
            for start in (self.keys.start..end).step_by(KEYS) {
                block.keys = start..end.min(start + KEYS);
                self.keys(&block, &logsumexp[first * m..][..m], &deltas, scratch);
            }
        }
        for (row, position) in scratch.query.chunks_exact(size).zip(block.queries) {
            // SAFETY: no other task has this head and query of these sums.
            scale(row, problem.scale, unsafe { self.query.vector(self.batch, head, position) });
        }
    }

    /// Adds the gradients of a block of scores.
    fn keys(&self, block: &Block, logsumexp: &[T], deltas: &[T], scratch: &mut Scratch<T>) {
        let (problem, Results { gy, .. }) = (self.problem, self.results);
        let (size, value_size) = (problem.query.place.size, problem.value.place.size);
        let (m, n) = (block.queries.len(), block.keys.len());
        let queries = &scratch.queries[..m * size];
        let [weights, gradient] = [&mut *scratch.weights, &mut *scratch.gradient].map(|x| &mut x[..m * n]);
        let gy = gy.matrix(self.batch, block.head, &block.queries);
        let [key, value] = [&problem.key, &problem.value].map(|x| x.matrix(self.batch, self.kv_head, &block.keys));
        let at = block.keys.start - self.keys.start;
        let (key_sums, value_sums) = (&mut scratch.key[at * size..], &mut scratch.value[at * value_size..]);

        problem.scores(block, queries, weights);
        self::weights(weights, n, &problem.limits(block), logsumexp);
        gemm_serial(gy, value.transposed(), Accum::Replace, gradient, n);
        let mut dropped = &*weights;
        if let Some(dropout) = &problem.dropout {
            scratch.dropped[..m * n].copy_from_slice(weights);
            problem.drop(block, dropout, &mut scratch.dropped[..m * n]);
            problem.drop(block, dropout, gradient);
            dropped = &scratch.dropped[..m * n];
        }
        gemm_serial(Matrix::new(dropped, n, m, true), gy, Accum::Add, value_sums, value_size);
        score_gradients(weights, gradient, n, deltas);
        gemm_serial(Matrix::new(weights, m, n, false), key, Accum::Add, scratch.query, size);
        gemm_serial(Matrix::new(weights, n, m, true), Matrix::new(queries, m, size, false), Accum::Add, key_sums, size);
    }
}
