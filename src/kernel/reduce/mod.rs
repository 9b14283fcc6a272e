//! Reductions along the middle axis of `[outer, n, inner]`.

pub(crate) mod scan;
pub(crate) mod sums;

use crate::kernel::Float;
use crate::kernel::base::threads::{CHUNK_MULTIPLE, chunk_size, for_each_chunk};

/// Rows that are summed in the precision of the elements; the sums of such blocks are added in double precision.
const ROWS: usize = 32;
/// Columns that are folded at a time, while that many are left.
const WIDE: usize = 128;
const NARROW: usize = 32;
/// Elements of a row that are reduced at a time: fixed, so that the result does not depend on the vector width. A long row has several
/// groups in flight.
const LANES: usize = 16;
const WIDE_ROW: usize = 4 * LANES;
/// Wide groups that are summed in the precision of the elements.
const ROW_BLOCK: usize = 8;

/// Reduces x `[outer, n, inner]` to y `[outer, inner]`: calls `kernel` for parts of the outer axis in parallel, with the first position.
pub(crate) fn in_parts<T: Float, Y: Send>(
    x: &[T],
    n: usize,
    inner: usize,
    y: &mut [Y],
    kernel: impl Fn(usize, &[T], &mut [Y]) + Sync,
) {
    let block = n * inner;
    if block == 0 {
        return kernel(0, x, y);
    }
    let blocks = chunk_size(x.len(), block) / block;
    for_each_chunk(y, blocks * inner, |index, y| {
        let first = index * blocks;
        kernel(first, &x[first * block..][..y.len() / inner * block], y);
    });
}

/// Reduces all lanes with `f`, the upper half onto the lower half, until one is left.
#[inline(always)]
pub(crate) fn reduce_lanes<T: Float, const N: usize>(mut lanes: [T; N], f: impl Fn(T, T) -> T) -> T {
    let mut width = N / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = f(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Elements of a row that are reduced by wide groups: none if it is short, because more accumulators have to be reduced in the end.
#[inline(always)]
fn wide_part(n: usize) -> usize {
    if n < 4 * WIDE_ROW { 0 } else { n - n % WIDE_ROW }
}

/// Σ term(x, y) over a row: blocks in the precision of the elements, the rest in double precision.
#[inline(always)]
pub(crate) fn sum_row<T: Float>(x: &[T], y: &[T], term: impl Fn(T, T) -> T) -> T {
    let (Some(last_x), Some(last_y)) = (x.last_chunk::<LANES>(), y.last_chunk::<LANES>()) else {
        // In order: several short rows are in flight at the same time.
        return x.iter().zip(y).fold(T::ZERO, |sum, (&x, &y)| sum + term(x, y));
    };
    // The last group overlaps the one before: only what does not fill a group is added.
    let rest = x.len() % LANES;
    let mut lanes = [T::ZERO; LANES];
    for lane in 0..LANES {
        let term = term(last_x[lane], last_y[lane]);
        lanes[lane] = if lane < LANES - rest { T::ZERO } else { term };
    }
    let wide = wide_part(x.len());
    let ((wide_x, x), (wide_y, y)) = (x.split_at(wide), y.split_at(wide));
    for (x, y) in x.as_chunks::<LANES>().0.iter().zip(y.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            lanes[lane] += term(x[lane], y[lane]);
        }
    }
    let mut total = 0.0;
    let (wide_x, wide_y) = (wide_x.as_chunks::<WIDE_ROW>().0, wide_y.as_chunks::<WIDE_ROW>().0);
    for (x, y) in wide_x.chunks(ROW_BLOCK).zip(wide_y.chunks(ROW_BLOCK)) {
        let mut sums = [T::ZERO; WIDE_ROW];
        for (x, y) in x.iter().zip(y) {
            for lane in 0..WIDE_ROW {
                sums[lane] += term(x[lane], y[lane]);
            }
        }
        total += reduce_lanes(sums, |low, high| low + high).to_f64();
    }
    T::from_f64(total + reduce_lanes(lanes, |low, high| low + high).to_f64())
}

simd! {
    /// Σ x over each row of `n` elements.
    pub(crate) fn sum_rows[T: Float](x: &[T], n: usize, y: &mut [T]) {
        y.iter_mut().zip(x.chunks_exact(n)).for_each(|(y, x)| *y = sum_row(x, x, |x, _| x));
    }
}

simd! {
    /// The product of each row of a matrix with a vector.
    pub(crate) fn dot_rows[T: Float](rows: &[T], vector: &[T], y: &mut [T]) {
        let rows = rows.chunks_exact(vector.len());
        y.iter_mut().zip(rows).for_each(|(y, row)| *y = sum_row(row, vector, |x, y| x * y));
    }
}

/// The product of a matrix with a vector, in parallel.
#[inline(never)]
pub(crate) fn matvec<T: Float>(matrix: &[T], vector: &[T], y: &mut [T]) {
    let n = vector.len();
    let size = (chunk_size(matrix.len(), n) / n).next_multiple_of(CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| dot_rows(&matrix[index * size * n..], vector, y));
}

/// Σ x over the middle axis.
#[inline(never)]
pub(crate) fn sum_axis<T: Float>(x: &[T], n: usize, inner: usize, y: &mut [T]) {
    match (n, inner) {
        (0, _) => y.fill(T::ZERO),
        (_, 1) => sum_rows(x, n, y),
        _ => sum_columns(x, n, inner, y),
    }
}

simd! {
    /// Σ x over the middle axis, where the inner one has several elements.
    pub(crate) fn sum_columns[T: Float](x: &[T], n: usize, inner: usize, y: &mut [T]) {
        if n == 0 || inner == 0 {
            return y.fill(T::ZERO);
        }
        for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(n * inner)) {
            let wide = inner - inner % WIDE;
            let narrow = inner - inner % NARROW;
            for at in (0..wide).step_by(WIDE) {
                sum_adjacent::<T, WIDE>(x, inner, at, &mut y[at..at + WIDE]);
            }
            for at in (wide..narrow).step_by(NARROW) {
                sum_adjacent::<T, NARROW>(x, inner, at, &mut y[at..at + NARROW]);
            }
            if narrow < inner {
                sum_adjacent::<T, NARROW>(x, inner, narrow, &mut y[narrow..]);
            }
        }
    }
}

/// Sums up to `N` adjacent columns, whose accumulators stay in registers.
#[inline(always)]
fn sum_adjacent<T: Float, const N: usize>(x: &[T], columns: usize, at: usize, y: &mut [T]) {
    let width = y.len();
    let mut totals = [0.0; N];
    for block in x.chunks(ROWS * columns) {
        let mut sums = [T::ZERO; N];
        for line in block.chunks_exact(columns) {
            for (sum, &x) in sums[..width].iter_mut().zip(&line[at..at + width]) {
                *sum += x;
            }
        }
        for (total, sum) in totals.iter_mut().zip(&sums) {
            *total += sum.to_f64();
        }
    }
    y.iter_mut().zip(&totals).for_each(|(y, &total)| *y = T::from_f64(total));
}

simd! {
    /// Π x over the middle axis, accumulated in double precision in `products`, which has the length of the inner axis.
    pub(crate) fn product[T: Float](x: &[T], n: usize, inner: usize, products: &mut [f64], y: &mut [T]) {
        if n == 0 || inner == 0 {
            return y.fill(T::ONE);
        }
        for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(n * inner)) {
            products.fill(1.0);
            for x in x.chunks_exact(inner) {
                products.iter_mut().zip(x).for_each(|(product, x)| *product *= x.to_f64());
            }
            y.iter_mut().zip(&*products).for_each(|(y, &product)| *y = T::from_f64(product));
        }
    }
}

/// Folds a row with `f`, which must be associative, commutative and idempotent: a maximum or minimum.
#[inline(always)]
pub(crate) fn fold_row<T: Float>(x: &[T], start: T, f: impl Fn(T, T) -> T) -> T {
    let Some(&last) = x.last_chunk::<LANES>() else {
        return x.iter().fold(start, |y, &x| f(y, x));
    };
    // Elements may take part twice.
    let mut lanes = last;
    let (wide, rest) = x.split_at(wide_part(x.len()));
    if !wide.is_empty() {
        let mut folded = [start; WIDE_ROW];
        for x in wide.as_chunks::<WIDE_ROW>().0 {
            for lane in 0..WIDE_ROW {
                folded[lane] = f(folded[lane], x[lane]);
            }
        }
        for k in 0..WIDE_ROW / LANES {
            for lane in 0..LANES {
                lanes[lane] = f(lanes[lane], folded[k * LANES + lane]);
            }
        }
    }
    for x in rest.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            lanes[lane] = f(lanes[lane], x[lane]);
        }
    }
    reduce_lanes(lanes, f)
}

simd! {
    /// Folds the middle axis with `f` from `start`, as [`fold_row`] does.
    pub(crate) fn fold[T: Float, F: Fn(T, T) -> T](x: &[T], n: usize, inner: usize, y: &mut [T], start: T, f: F) {
        y.fill(start);
        if n == 0 || inner == 0 {
            return;
        }
        if inner == 1 {
            return y.iter_mut().zip(x.chunks_exact(n)).for_each(|(y, x)| *y = fold_row(x, start, &f));
        }
        for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(n * inner)) {
            let wide = inner - inner % WIDE;
            let narrow = inner - inner % NARROW;
            for at in (0..wide).step_by(WIDE) {
                fold_columns::<T, WIDE>(x, inner, at, y, &f);
            }
            for at in (wide..narrow).step_by(NARROW) {
                fold_columns::<T, NARROW>(x, inner, at, y, &f);
            }
            for x in x.chunks_exact(inner) {
                for (y, &x) in y[narrow..].iter_mut().zip(&x[narrow..]) {
                    *y = f(*y, x);
                }
            }
        }
    }
}

/// Folds `N` adjacent columns, whose accumulators stay in registers.
#[inline(always)]
fn fold_columns<T: Float, const N: usize>(x: &[T], columns: usize, at: usize, y: &mut [T], f: impl Fn(T, T) -> T) {
    let y = &mut y[at..at + N];
    let mut values = [T::ZERO; N];
    values.copy_from_slice(y);
    for line in x.chunks_exact(columns) {
        for (value, &x) in values.iter_mut().zip(&line[at..at + N]) {
            *value = f(*value, x);
        }
    }
    y.copy_from_slice(&values);
}

/// Whether both are equal or NaN.
#[inline(always)]
fn is_same<T: Float>(x: T, y: T) -> bool {
    x == y || (x.is_nan() && y.is_nan())
}

/// The first position along the middle axis of each of the values that a fold of it chose, in parallel.
pub(crate) fn positions<T: Float>(x: &[T], n: usize, inner: usize, values: &[T], y: &mut [usize]) {
    in_parts(x, n, inner, y, |first, x, y| positions_of(x, n, inner, &values[first * inner..], y));
}

simd! {
    pub(crate) fn positions_of[T: Float](x: &[T], n: usize, inner: usize, values: &[T], y: &mut [usize]) {
        if inner == 1 {
            let rows = y.iter_mut().zip(x.chunks_exact(n));
            return rows.zip(values).for_each(|((y, x), &value)| *y = position(x, value));
        }
        let blocks = y.chunks_exact_mut(inner.max(1)).zip(x.chunks_exact((n * inner).max(1)));
        for ((y, x), values) in blocks.zip(values.chunks_exact(inner.max(1))) {
            // From the end, so that the first one stays.
            for (k, x) in x.chunks_exact(inner).enumerate().rev() {
                for ((y, &x), &value) in y.iter_mut().zip(x).zip(values) {
                    *y = if is_same(x, value) { k } else { *y };
                }
            }
        }
    }
}

/// The first position of a value in a row.
#[inline(always)]
fn position<T: Float>(x: &[T], value: T) -> usize {
    let chunks = x.as_chunks::<LANES>().0;
    let absent = |x: &&[T; LANES]| !x.iter().fold(false, |any, &x| any | is_same(x, value));
    let start = chunks.iter().take_while(absent).count() * LANES;
    start + x[start..].iter().take_while(|x| !is_same(**x, value)).count()
}
