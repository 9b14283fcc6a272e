//! Elementwise loops over one input, or over two whose shapes broadcast.
//!
//! The compiler does not inline a long `f`, and a loop with a call is not vectorized. So closures that contain an exponential
//! or more are `#[inline(always)]`, and kernels call them as `(*f)(x)`: the implementation of `Fn` for references is one more
//! function that would have to be inlined.

use crate::kernel::Float;
use crate::kernel::base::dims::Dims;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{CHUNK_MULTIPLE, chunk_size, for_each_chunk};

/// Elements of short rows that are processed together. What is written out for them stays in the first-level cache.
const BLOCK: usize = 1024;
/// The same if the rows are equal and therefore written out once.
const BLOCK_OF_EQUAL_ROWS: usize = 4096;
/// Elements from which on rows with a number for each are processed one by one instead.
const MIN_ROW_OF_NUMBER: usize = 64;

/// A pass over an input and an output.
pub(crate) type Pass<'a, T> = dyn Fn(&[T], &mut [T]) + Sync + 'a;
/// A pass over two inputs and an output.
pub(crate) type PassOfTwo<'a, T> = dyn Fn(&[T], &[T], &mut [T]) + Sync + 'a;
/// A pass over rows of two inputs and an output.
pub(crate) type PassOfRows<'a, T> = dyn Fn(Rows<T>, Rows<T>, usize, &mut [T]) + Sync + 'a;

/// Runs a pass over the elements of `x` and `y`, on several threads if there are many. Compiled once for all closures.
#[inline(never)]
pub(crate) fn share<T: Float>(x: &[T], y: &mut [T], pass: &Pass<T>) {
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| pass(&x[index * size..], y));
}

/// [`share`] with two inputs.
#[inline(never)]
pub(crate) fn share_two<T: Float>(a: &[T], b: &[T], y: &mut [T], pass: &PassOfTwo<T>) {
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| pass(&a[index * size..], &b[index * size..], y));
}

/// [`share_two`] with the inputs as rows.
pub(crate) fn share_rows<T: Float>(a: &[T], b: &[T], y: &mut [T], pass: &PassOfRows<T>) {
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| {
        let (a, b) = (&a[index * size..], &b[index * size..]);
        pass(Rows::one(a), Rows::one(b), y.len(), y);
    });
}

simd! {
    /// `y[i] = f(x[i])`.
    pub(crate) fn map[T: Float, F: Fn(T) -> T](x: &[T], y: &mut [T], f: &F) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (*f)(x);
        }
    }
}

simd! {
    /// `y[i] = f(a[i], b[i])`.
    pub(crate) fn pair[T: Float, F: Fn(T, T) -> T](a: &[T], b: &[T], y: &mut [T], f: &F) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = (*f)(a, b);
        }
    }
}

simd! {
    /// `y[i] = x[i]ⁿ` in double precision, with the bits of `T::powi`. The loop over the bits of n is outside of one over elements,
    /// so that this is vectorized.
    pub(crate) fn powi[T: Float](x: &[T], y: &mut [T], n: i32) {
        const BLOCK: usize = 16;
        for (y, x) in y.chunks_mut(BLOCK).zip(x.chunks(BLOCK)) {
            let (mut square, mut product) = ([1.0; BLOCK], [1.0; BLOCK]);
            square.iter_mut().zip(x).for_each(|(square, x)| *square = x.to_f64());
            let mut bits = n.unsigned_abs();
            loop {
                if bits & 1 == 1 {
                    product.iter_mut().zip(&square).for_each(|(product, square)| *product *= square);
                }
                bits >>= 1;
                if bits == 0 {
                    break;
                }
                square.iter_mut().for_each(|square| *square *= *square);
            }
            for (y, &product) in y.iter_mut().zip(&product) {
                *y = T::from_f64(if n < 0 { 1.0 / product } else { product });
            }
        }
    }
}

/// An input along rows of the output: the distance of its elements, 0 if one is repeated, or 1, and the distance of its rows.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    x: &'a [T],
    strides: [usize; 2],
}

impl<'a, T> Rows<'a, T> {
    /// A single row.
    fn one(x: &'a [T]) -> Self {
        Rows { x, strides: [1, 0] }
    }

    /// The elements from the start of a row on.
    #[inline(always)]
    fn row(&self, k: usize) -> &'a [T] {
        &self.x[k * self.strides[1]..]
    }
}

simd! {
    /// `y = f(a, b)` for rows of `inner` elements.
    pub(crate) fn zip[T: Float, F: Fn(T, T) -> T](a: Rows<T>, b: Rows<T>, inner: usize, y: &mut [T], f: &F) {
        for (k, y) in y.chunks_mut(inner).enumerate() {
            match (a.row(k), b.row(k)) {
                (a_row, b_row) if a.strides[0] == 0 => {
                    let a = a_row[0];
                    y.iter_mut().zip(b_row).for_each(|(y, &b)| *y = (*f)(a, b));
                }
                (a_row, b_row) if b.strides[0] == 0 => {
                    let b = b_row[0];
                    y.iter_mut().zip(a_row).for_each(|(y, &a)| *y = (*f)(a, b));
                }
                (a_row, b_row) => {
                    for ((y, &a), &b) in y.iter_mut().zip(a_row).zip(b_row) {
                        *y = (*f)(a, b);
                    }
                }
            }
        }
    }
}

/// `y[i] = value`.
pub(crate) fn fill<T: Float>(y: &mut [T], value: T) {
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |_, y| y.fill(value));
}

/// `y[i] = f(y[i], x[i])`.
pub(crate) fn update<T: Float>(y: &mut [T], x: &[T], f: impl Fn(T, T) -> T + Sync) {
    if let ([y], [x]) = (&mut *y, x) {
        *y = f(*y, *x);
        return;
    }
    share(x, y, &|x, y| update_chunk(y, x, &f));
}

simd! {
    pub(crate) fn update_chunk[T: Float, F: Fn(T, T) -> T](y: &mut [T], x: &[T], f: &F) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (*f)(*y, x);
        }
    }
}

/// How two inputs broadcast to an output: the coalesced axes of the output, the last one first, and the strides of both
/// inputs along them, 0 where an input is repeated.
pub(crate) struct Broadcast {
    shape: Dims,
    a: Dims,
    b: Dims,
}

impl Broadcast {
    /// The plan for inputs of shapes `a` and `b`, which broadcast to `shape`.
    pub(crate) fn new(a: &[usize], b: &[usize], shape: &[usize]) -> Self {
        let mut plan = Broadcast { shape: Dims::new(), a: Dims::new(), b: Dims::new() };
        let stride = |dims: &[usize], axis: usize, step: &mut usize| {
            let Some(own) = (axis + dims.len()).checked_sub(shape.len()) else { return 0 };
            let stride = if dims[own] == 1 { 0 } else { *step };
            *step *= dims[own];
            stride
        };
        let (mut step_a, mut step_b) = (1, 1);
        // From the last axis to the first; an axis whose strides continue those of the previous one is merged into it.
        for axis in (0..shape.len()).rev() {
            let (sa, sb) = (stride(a, axis, &mut step_a), stride(b, axis, &mut step_b));
            let n = shape[axis];
            if n == 1 {
                continue;
            }
            match plan.shape.len().checked_sub(1) {
                Some(k) if sa == plan.a[k] * plan.shape[k] && sb == plan.b[k] * plan.shape[k] => plan.shape[k] *= n,
                _ => {
                    plan.shape.push(n);
                    plan.a.push(sa);
                    plan.b.push(sb);
                }
            }
        }
        if plan.shape.is_empty() {
            (plan.shape, plan.a, plan.b) = (Dims::from_slice(&[1]), Dims::from_slice(&[0]), Dims::from_slice(&[0]));
        }
        plan
    }

    /// Calls `f` with blocks of the output and the inputs there, in parallel: all rows along the second axis, or several short rows as
    /// one. An input that is not contiguous along short rows is written out.
    #[inline(never)]
    pub(crate) fn for_each_block<T: Float>(&self, a: &[T], b: &[T], y: &mut [T], f: &PassOfRows<T>) {
        let inner = self.shape[0];
        if self.shape.len() > 1 {
            let size = chunk_size(y.len(), inner);
            return for_each_chunk(y, size, |index, y| self.blocks_from(index * size / inner, a, b, y, f));
        }
        let size = chunk_size(y.len(), CHUNK_MULTIPLE);
        for_each_chunk(y, size, |index, y| {
            let (start, [stride_a, stride_b]) = (index * size, [self.a[0], self.b[0]]);
            let a = Rows { x: &a[start * stride_a..], strides: [stride_a, 0] };
            let b = Rows { x: &b[start * stride_b..], strides: [stride_b, 0] };
            f(a, b, y.len(), y);
        });
    }

    /// The blocks of [`for_each_block`](Broadcast::for_each_block) in the rows of `y`, the first of which is the given one of the
    /// output.
    fn blocks_from<T: Float>(&self, first: usize, a: &[T], b: &[T], y: &mut [T], f: &PassOfRows<T>) {
        let [inner, rows] = [self.shape[0], self.shape[1]];
        let number = self.a[0] == 0 || self.b[0] == 0;
        let (block, long) =
            if number { (BLOCK, MIN_ROW_OF_NUMBER) } else { (BLOCK_OF_EQUAL_ROWS, BLOCK_OF_EQUAL_ROWS / 4) };
        let size = if inner >= long { 0 } else { (block / inner).clamp(1, rows) * inner };
        let (strides_a, strides_b) = ([self.a[0], self.a[1]], [self.b[0], self.b[1]]);
        with_scratch(2 * size, |scratch: &mut [T]| {
            let (scratch_a, scratch_b) = scratch.split_at_mut(size);
            let (mut skipped, mut index, mut rest) = (first % rows, self.index_of(first / rows), y);
            while !rest.is_empty() {
                let part = rest.split_off_mut(..((rows - skipped) * inner).min(rest.len())).expect("within the rest");
                let [at_a, at_b] = [&self.a, &self.b].map(|strides| {
                    skipped * strides[1] + index.iter().zip(&strides[2..]).map(|(k, stride)| k * stride).sum::<usize>()
                });
                let (a, b) = (Rows { x: &a[at_a..], strides: strides_a }, Rows { x: &b[at_b..], strides: strides_b });
                if size == 0 {
                    f(a, b, inner, part);
                } else {
                    let (mut a, mut b) = (Operand::new(a, inner), Operand::new(b, inner));
                    for (k, block) in part.chunks_mut(size).enumerate() {
                        let (start, length) = (k * size, block.len());
                        let (a, b) = (a.block(start, length, scratch_a), b.block(start, length, scratch_b));
                        f(Rows::one(a), Rows::one(b), length, block);
                    }
                }
                skipped = 0;
                self.advance(&mut index);
            }
        });
    }

    /// The position on the axes from the third on, given its number in the order of the output.
    fn index_of(&self, mut number: usize) -> Dims {
        let mut position = |&size: &usize| {
            let k = number % size;
            number /= size;
            k
        };
        self.shape[2..].iter().map(&mut position).collect()
    }

    /// Goes on to the next position.
    fn advance(&self, index: &mut Dims) {
        for (k, &size) in index.iter_mut().zip(&self.shape[2..]) {
            *k += 1;
            if *k < size {
                return;
            }
            *k = 0;
        }
    }
}

/// An input along several short rows of the output, as one row.
struct Operand<'a, T> {
    rows: Rows<'a, T>,
    inner: usize,
    /// Written out to scratch memory for each block, or once if all blocks are equal.
    written: bool,
}

impl<'a, T: Float> Operand<'a, T> {
    fn new(rows: Rows<'a, T>, inner: usize) -> Self {
        Operand { rows, inner, written: false }
    }

    /// The elements from `start` on.
    #[inline]
    fn block<'s>(&mut self, start: usize, length: usize, scratch: &'s mut [T]) -> &'s [T]
    where
        'a: 's,
    {
        let [across, down] = self.rows.strides;
        if across == 1 && down == self.inner {
            return &self.rows.x[start..];
        }
        if !self.written {
            for (k, y) in scratch[..length].chunks_exact_mut(self.inner).enumerate() {
                let row = self.rows.row(start / self.inner + k);
                match across {
                    0 => y.fill(row[0]),
                    _ => y.copy_from_slice(&row[..self.inner]),
                }
            }
            self.written = down == 0;
        }
        scratch
    }
}
