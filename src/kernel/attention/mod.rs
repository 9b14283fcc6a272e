//! Scaled dot-product attention, without ever holding the weights of all queries.
//!
//! FlashAttention-2 (Dao 2023): blocks of scores are computed, turned into exponentials and multiplied by the values at once, with a
//! running maximum and sum for each query. The backward pass computes the blocks again from the logarithm of that sum. So memory is
//! linear in the number of queries and keys.
//!
//! The blocks depend on sizes alone, and each is computed by one thread, so results do not depend on the number of threads.

mod backward;
mod forward;
mod rows;

pub(crate) use backward::{Gradients, Results, backward};
pub(crate) use forward::forward;

use crate::kernel::Float;
use crate::kernel::base::threads::{Chunks, for_each_index};
use crate::kernel::dropout::dropout_part;
use crate::kernel::matmul::gemm::{MIN_FMAS_PER_THREAD, gemm_serial};
use crate::kernel::matmul::product::{Accum, Matrix};
use std::ops::Range;

/// Queries of a block.
const QUERIES: usize = 64;
/// Keys of a block: their scores for a block of queries stay in the second-level cache.
const KEYS: usize = 256;

/// The numbers of sequences, heads and positions. A head of keys and values serves `heads / kv_heads` heads of queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
}

impl Sizes {
    /// The number of blocks of queries of a head.
    pub(crate) fn blocks(&self) -> usize {
        self.queries.div_ceil(QUERIES)
    }

    /// The number of queries of a block, except for the last.
    pub(crate) fn block(&self) -> usize {
        self.queries.div_ceil(self.blocks().max(1)).next_multiple_of(8)
    }

    /// The queries of a block.
    fn queries_of(&self, block: usize) -> Range<usize> {
        (block * self.block()).min(self.queries)..((block + 1) * self.block()).min(self.queries)
    }
}

/// Where the vectors of an operand are: that of a sequence, a head and a position starts at the sum of the three strides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) batch: usize,
    pub(crate) head: usize,
    pub(crate) position: usize,
    /// The size of a vector.
    pub(crate) size: usize,
}

impl Place {
    fn at(&self, batch: usize, head: usize, position: usize) -> usize {
        self.offset + batch * self.batch + head * self.head + position * self.position
    }
}

/// An operand: the vectors of a slice at a place.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) place: Place,
}

impl<'a, T> Vectors<'a, T> {
    fn vector(&self, batch: usize, head: usize, position: usize) -> &'a [T] {
        &self.data[self.place.at(batch, head, position)..][..self.place.size]
    }

    /// The vectors of some positions of a head, one in a row.
    fn matrix(&self, batch: usize, head: usize, positions: &Range<usize>) -> Matrix<'a, T> {
        let start = self.place.at(batch, head, positions.start);
        Matrix::strided(&self.data[start..], positions.len(), self.place.size, self.place.position)
    }
}

/// A result whose vectors several threads write at the same time. All strides of the place are multiples of the size of a vector,
/// which is the size of the chunks.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a, T> {
    pub(crate) chunks: &'a Chunks<'a, T>,
    pub(crate) place: Place,
}

impl<T> Target<'_, T> {
    /// A vector.
    ///
    /// # Safety
    /// No two results for the same vector may be alive at the same time.
    #[expect(clippy::mut_from_ref, reason = "the caller guarantees that the results are disjoint")]
    unsafe fn vector(&self, batch: usize, head: usize, position: usize) -> &mut [T] {
        // SAFETY: distinct vectors are distinct chunks; the caller guarantees the rest.
        unsafe { self.chunks.get(self.place.at(batch, head, position) / self.place.size) }
    }
}

/// What is added to the scores: a value at `offsets[sequence · heads + head] + query · row + key`.
#[derive(Clone, Copy)]
pub(crate) struct Bias<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) offsets: &'a [usize],
    /// The step between the rows of queries, 0 if all have the same.
    pub(crate) row: usize,
}

/// Dropout of the weights.
#[derive(Clone, Copy)]
pub(crate) struct Dropout<T> {
    pub(crate) seed: u64,
    pub(crate) threshold: u32,
    pub(crate) scale: T,
}

impl<T: Float> Dropout<T> {
    pub(crate) fn new(rate: f64, seed: u64) -> Self {
        Dropout { seed, threshold: (rate * 2f64.powi(32)) as u32, scale: T::from_f64(1.0 / (1.0 - rate)) }
    }
}

/// The operands and settings of both passes.
pub(crate) struct Problem<'a, T> {
    pub(crate) sizes: Sizes,
    pub(crate) query: Vectors<'a, T>,
    pub(crate) key: Vectors<'a, T>,
    pub(crate) value: Vectors<'a, T>,
    pub(crate) scale: T,
    /// The position of the first query among the keys, if a query attends to no later key than its own.
    pub(crate) causal: Option<usize>,
    pub(crate) biases: &'a [Bias<'a, T>],
    pub(crate) dropout: Option<Dropout<T>>,
}

/// A block of scores: the queries of a head against some keys.
struct Block {
    batch: usize,
    head: usize,
    queries: Range<usize>,
    keys: Range<usize>,
}

impl<T: Float> Problem<'_, T> {
    /// The number of keys that a query may attend to.
    fn visible(&self, query: usize) -> usize {
        self.causal.map_or(self.sizes.keys, |first| self.sizes.keys.min(first + query + 1))
    }

    /// How many of the keys of a block each of its queries may attend to.
    fn limits(&self, block: &Block) -> [usize; QUERIES] {
        let mut limits = [0; QUERIES];
        for (limit, query) in limits.iter_mut().zip(block.queries.clone()) {
            *limit = self.visible(query).clamp(block.keys.start, block.keys.end) - block.keys.start;
        }
        limits
    }

    /// The head of keys and values of a head of queries.
    fn kv_head(&self, head: usize) -> usize {
        head * self.sizes.kv_heads / self.sizes.heads
    }

    /// The queries of a block times the scale.
    fn scaled_queries(&self, block: &Block, scaled: &mut [T]) {
        for (row, query) in scaled.chunks_exact_mut(self.query.place.size).zip(block.queries.clone()) {
            rows::scale(self.query.vector(block.batch, block.head, query), self.scale, row);
        }
    }

    /// The scores of a block, given its scaled queries: one row for each query.
    fn scores(&self, block: &Block, queries: &[T], scores: &mut [T]) {
        let (m, n) = (block.queries.len(), block.keys.len());
        let mut accum = Accum::Replace;
        for bias in self.biases {
            let start = bias.offsets[block.batch * self.sizes.heads + block.head] + block.keys.start;
            for (row, query) in scores.chunks_exact_mut(n).zip(block.queries.clone()) {
                let x = &bias.data[start + query * bias.row..][..n];
                match accum {
                    Accum::Replace => row.copy_from_slice(x),
                    _ => row.iter_mut().zip(x).for_each(|(y, &x)| *y += x),
                }
            }
            accum = Accum::Add;
        }
        let queries = Matrix::new(queries, m, self.query.place.size, false);
        let keys = self.key.matrix(block.batch, self.kv_head(block.head), &block.keys);
        gemm_serial(queries, keys.transposed(), accum, scores, n);
    }

    /// Drops elements of a block of weights, or of their gradients.
    fn drop(&self, block: &Block, dropout: &Dropout<T>, weights: &mut [T]) {
        let Sizes { heads, queries, keys, .. } = self.sizes;
        let Dropout { seed, threshold, scale } = *dropout;
        for (row, query) in weights.chunks_exact_mut(block.keys.len()).zip(block.queries.clone()) {
            let start = ((block.batch * heads + block.head) * queries + query) * keys + block.keys.start;
            dropout_part(row, start, seed, threshold, scale);
        }
    }
}

/// Runs tasks of `fmas` multiply-adds each in parallel, several small ones at a time.
fn for_each_task(count: usize, fmas: usize, work: impl Fn(usize) + Sync) {
    let size = (MIN_FMAS_PER_THREAD / fmas.max(1)).max(1);
    for_each_index(count.div_ceil(size), |index| (index * size..count.min((index + 1) * size)).for_each(&work));
}

/// Takes some elements off the front of a slice.
fn carve<'a, T>(scratch: &mut &'a mut [T], length: usize) -> &'a mut [T] {
    let (front, rest) = std::mem::take(scratch).split_at_mut(length);
    *scratch = rest;
    front
}
