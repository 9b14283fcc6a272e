//! Reductions along the middle axis of `[outer, n, inner]`.

pub(crate) mod scan;
pub(crate) mod sums;

use crate::kernel::Float;

/// Terms of a sequential sum; the sums of such blocks are added pairwise.
const BLOCK: usize = 512;
/// Rows that are summed in the precision of the elements; the sums of such blocks are added in double precision.
const ROWS: usize = 32;
/// Columns that are folded at a time, while that many are left.
const WIDE: usize = 128;
const NARROW: usize = 32;
/// Accumulators of a block: fixed, so that the result does not depend on the vector width.
const LANES: usize = 16;

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

simd! {
    /// Σ x by pairwise summation of blocks: the rounding error grows with the logarithm of the length.
    pub(crate) fn sum[T: Float](x: &[T]) -> T {
        #[inline(always)]
        fn block<T: Float>(x: &[T]) -> T {
            let mut lanes = [T::ZERO; LANES];
            let chunks = x.chunks_exact(LANES);
            let rest = chunks.remainder();
            for chunk in chunks {
                for (lane, &x) in lanes.iter_mut().zip(chunk) {
                    *lane += x;
                }
            }
            for (lane, &x) in lanes.iter_mut().zip(rest) {
                *lane += x;
            }
            reduce_lanes(lanes, |low, high| low + high)
        }
        // A stack of partial sums, merged like the carries of a binary counter: pairwise summation without recursion.
        let mut partial = [T::ZERO; usize::BITS as usize];
        let mut count = 0usize;
        for chunk in x.chunks(BLOCK) {
            let mut value = block(chunk);
            let mut level = 0;
            while count >> level & 1 == 1 {
                value = partial[level] + value;
                level += 1;
            }
            partial[level] = value;
            count += 1;
        }
        let mut total = T::ZERO;
        for (level, &value) in partial.iter().enumerate() {
            if count >> level & 1 == 1 {
                total = value + total;
            }
        }
        total
    }
}

/// Σ x over the middle axis.
#[inline(never)]
pub(crate) fn sum_axis<T: Float>(x: &[T], n: usize, inner: usize, y: &mut [T]) {
    if inner == 1 {
        if n == 0 {
            return y.fill(T::ZERO);
        }
        for (y, x) in y.iter_mut().zip(x.chunks_exact(n)) {
            *y = sum(x);
        }
    } else {
        sum_columns(x, n, inner, y);
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

simd! {
    /// Folds the middle axis with `f` from `start`, in order.
    pub(crate) fn fold[T: Float, F: Fn(T, T) -> T](x: &[T], n: usize, inner: usize, y: &mut [T], start: T, f: F) {
        y.fill(start);
        if n == 0 || inner == 0 {
            return;
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

/// The position along the middle axis of the best element by `better`: the first one of equals. A NaN is better than any
/// number.
pub(crate) fn position<T: Float>(x: &[T], n: usize, inner: usize, y: &mut [usize], better: impl Fn(T, T) -> bool) {
    for (k, y) in y.iter_mut().enumerate() {
        let at = |j: usize| x[(k / inner * n + j) * inner + k % inner];
        let mut best = 0;
        for j in 1..n {
            if !at(best).is_nan() && (better(at(j), at(best)) || at(j).is_nan()) {
                best = j;
            }
        }
        *y = best;
    }
}
