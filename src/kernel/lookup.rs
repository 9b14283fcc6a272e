//! Reading rows and elements by index, and the adjoint, adding to them by index.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};

/// `y[o, k, :] = x[o, indices[k], :]` for x `[outer, n, inner]`.
#[inline(never)]
pub(crate) fn index_select<T: Float>(x: &[T], indices: &[usize], n: usize, inner: usize, y: &mut [T]) {
    if y.is_empty() {
        return;
    }
    let count = indices.len();
    if inner == 1 {
        let size = chunk_size(y.len(), count);
        return for_each_chunk(y, size, |index, y| {
            for (y, x) in y.chunks_exact_mut(count).zip(x[index * size / count * n..].chunks_exact(n)) {
                y.iter_mut().zip(indices).for_each(|(y, &at)| *y = x[at]);
            }
        });
    }
    let size = chunk_size(y.len(), inner);
    for_each_chunk(y, size, |index, y| {
        for (k, row) in (index * size / inner..).zip(y.chunks_exact_mut(inner)) {
            let (block, at) = (k / count, indices[k % count]);
            row.copy_from_slice(&x[(block * n + at) * inner..][..inner]);
        }
    });
}

/// The length of rows from which on several threads share their sums.
const MIN_SHARED_ROW: usize = 16;
/// Terms of a sum in the precision of the elements. If there are more, they are summed in double precision.
const MAX_TERMS: usize = 32;

/// `y[o, indices[k], :] += x[o, k, :]` for y `[outer, n, inner]`, in the order of k.
#[inline(never)]
pub(crate) fn index_add<T: Float>(x: &[T], indices: &[usize], n: usize, inner: usize, y: &mut [T]) {
    if x.is_empty() {
        return;
    }
    let (terms, many) = (indices.len() * inner, most_frequent(indices, n) > MAX_TERMS);
    let add = |x: &[T], first: usize, y: &mut [T]| {
        if !many {
            return add_rows(x, indices, inner, first, y, |y, x| y + x);
        }
        with_scratch(y.len(), |sums: &mut [f64]| {
            sums.iter_mut().zip(&*y).for_each(|(sum, y)| *sum = y.to_f64());
            add_rows(x, indices, inner, first, sums, |sum, x| sum + x.to_f64());
            y.iter_mut().zip(&*sums).for_each(|(y, &sum)| *y = T::from_f64(sum));
        });
    };
    let part = chunk_size(x.len(), terms);
    if x.len() > terms {
        let blocks = part / terms;
        return for_each_chunk(y, blocks * n * inner, |index, y| {
            let x = &x[index * part..];
            y.chunks_exact_mut(n * inner).zip(x.chunks_exact(terms)).for_each(|(y, x)| add(x, 0, y));
        });
    }
    // Each thread visits all rows of x, of which it adds those that belong to its rows of y.
    let parts = if inner < MIN_SHARED_ROW { 1 } else { x.len().div_ceil(chunk_size(x.len(), 1)) };
    let rows = n.div_ceil(parts);
    for_each_chunk(y, rows * inner, |index, y| add(x, index * rows, y));
}

/// How often the most frequent index below `n` occurs.
fn most_frequent(indices: &[usize], n: usize) -> usize {
    if indices.len() <= MAX_TERMS {
        return indices.len();
    }
    let mut counts = vec![0u32; n];
    indices.iter().for_each(|&at| counts[at] = counts[at].saturating_add(1));
    counts.iter().max().map_or(0, |&most| most as usize)
}

simd! {
    /// Adds rows of x to those of y with the given numbers, where y begins with row `first`; others are left out.
    pub(crate) fn add_rows[T: Float, S: Copy, F: Fn(S, T) -> S](
        x: &[T],
        indices: &[usize],
        inner: usize,
        first: usize,
        y: &mut [S],
        add: F,
    ) {
        let rows = first..first + y.len() / inner;
        for (row, &at) in x.chunks_exact(inner).zip(indices) {
            if rows.contains(&at) {
                for (y, &x) in y[(at - first) * inner..][..inner].iter_mut().zip(row) {
                    *y = add(*y, x);
                }
            }
        }
    }
}

simd! {
    /// Whether all indices are below `n`.
    pub(crate) fn all_below[](indices: &[usize], n: usize) -> bool {
        // Without an early exit the loop is vectorized.
        indices.iter().fold(true, |all, &index| all & (index < n))
    }
}

/// `y[o, k, i] = x[o, indices[o, k, i], i]` for x `[outer, n, inner]`.
#[inline(never)]
pub(crate) fn take<T: Float>(x: &[T], indices: &[usize], n: usize, inner: usize, y: &mut [T]) {
    if x.is_empty() {
        return y.fill(T::ZERO);
    }
    let block = n * inner;
    let chosen = y.len() / (x.len() / block);
    let size = chunk_size(y.len(), if inner == 1 { chosen.max(1) } else { inner });
    for_each_chunk(y, size, |index, y| {
        let first = index * size;
        let indices = &indices[first..];
        if inner == 1 {
            let blocks = y.chunks_exact_mut(chosen).zip(indices.chunks_exact(chosen));
            for ((y, indices), x) in blocks.zip(x[first / chosen * block..].chunks_exact(block)) {
                y.iter_mut().zip(indices).for_each(|(y, &at)| *y = x[at]);
            }
            return;
        }
        let rows = y.chunks_exact_mut(inner).zip(indices.chunks_exact(inner));
        for (k, (y, indices)) in rows.enumerate() {
            let x = &x[(first + k * inner) / chosen * block..][..block];
            y.iter_mut().zip(indices).enumerate().for_each(|(i, (y, &at))| *y = x[at * inner + i]);
        }
    });
}

/// `y[o, indices[o, k, i], i] += x[o, k, i]` from zeros, for y `[outer, n, inner]`, in the order of k: the adjoint of [`take`].
#[inline(never)]
pub(crate) fn put<T: Float>(x: &[T], indices: &[usize], n: usize, inner: usize, y: &mut [T]) {
    if x.is_empty() || y.is_empty() {
        return y.fill(T::ZERO);
    }
    let block = n * inner;
    let chosen = x.len() / (y.len() / block);
    let size = chunk_size(y.len(), block);
    for_each_chunk(y, size, |index, y| {
        let first = index * size / block * chosen;
        let blocks = x[first..].chunks_exact(chosen).zip(indices[first..].chunks_exact(chosen));
        if chosen <= MAX_TERMS * inner {
            for (y, (x, indices)) in y.chunks_exact_mut(block).zip(blocks) {
                y.fill(T::ZERO);
                add_elements(x, indices, inner, y, |y, x| y + x);
            }
            return;
        }
        with_scratch(block, |sums: &mut [f64]| {
            for (y, (x, indices)) in y.chunks_exact_mut(block).zip(blocks) {
                sums.fill(0.0);
                add_elements(x, indices, inner, sums, |sum, x| sum + x.to_f64());
                y.iter_mut().zip(&*sums).for_each(|(y, &sum)| *y = T::from_f64(sum));
            }
        });
    });
}

/// Adds each element of x `[k, inner]` at its index along the first axis of y `[n, inner]`.
#[inline(always)]
fn add_elements<T: Copy, S: Copy>(x: &[T], indices: &[usize], inner: usize, y: &mut [S], add: impl Fn(S, T) -> S) {
    if inner == 1 {
        for (&x, &at) in x.iter().zip(indices) {
            y[at] = add(y[at], x);
        }
        return;
    }
    for (x, indices) in x.chunks_exact(inner).zip(indices.chunks_exact(inner)) {
        for (i, (&x, &at)) in x.iter().zip(indices).enumerate() {
            y[at * inner + i] = add(y[at * inner + i], x);
        }
    }
}
