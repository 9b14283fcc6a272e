//! Elementwise loops over one input, or over two whose shapes broadcast.
//!
//! The compiler does not inline a long `f`, and a loop with a call is not vectorized. So closures that contain an exponential
//! or more are `#[inline(always)]`, and kernels call them as `(*f)(x)`: the implementation of `Fn` for references is one more
//! function that would have to be inlined.

use crate::kernel::Float;
use crate::kernel::base::dims::Dims;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{CHUNK_MULTIPLE, chunk_size, for_each_chunk};

/// Elements that a repeated input is written out to: it stays in the first-level cache.
const BLOCK: usize = 1024;

/// `y[i] = f(x[i])`.
pub(crate) fn map<T: Float>(x: &[T], y: &mut [T], f: impl Fn(T) -> T + Sync) {
    // A single element is not worth the choice of an instruction set.
    if let ([x], [y]) = (x, &mut *y) {
        *y = f(*x);
        return;
    }
    share(x, y, &|x, y| map_chunk(x, y, &f));
}

/// Runs a pass over the elements of `x` and `y`, on several threads if there are many. Compiled once for all closures.
#[inline(never)]
fn share<T: Float>(x: &[T], y: &mut [T], pass: &(dyn Fn(&[T], &mut [T]) + Sync)) {
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| pass(&x[index * size..], y));
}

simd! {
    pub(crate) fn map_chunk[T: Float, F: Fn(T) -> T](x: &[T], y: &mut [T], f: &F) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (*f)(x);
        }
    }
}

/// `y[i] = f(a[i], b[i])`.
pub(crate) fn zip_equal<T: Float>(a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    if let ([a], [b], [y]) = (a, b, &mut *y) {
        *y = f(*a, *b);
        return;
    }
    share_two(a, b, y, &|a, b, y| zip_chunk(a, b, y, &f));
}

/// A pass over two inputs and an output.
type PassOfTwo<'a, T> = dyn Fn(&[T], &[T], &mut [T]) + Sync + 'a;

/// [`share`] with two inputs.
#[inline(never)]
fn share_two<T: Float>(a: &[T], b: &[T], y: &mut [T], pass: &PassOfTwo<T>) {
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| pass(&a[index * size..], &b[index * size..], y));
}

simd! {
    pub(crate) fn zip_chunk[T: Float, F: Fn(T, T) -> T](a: &[T], b: &[T], y: &mut [T], f: &F) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = (*f)(a, b);
        }
    }
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

    /// Calls `f` with each block of a row of the output and the inputs there, which are as long or longer.
    #[inline(never)]
    fn for_each_row<T: Float>(&self, a: &[T], b: &[T], y: &mut [T], f: &PassOfTwo<T>) {
        let inner = self.shape[0];
        if y.is_empty() {
            return;
        }
        let mut index: Dims = self.shape.iter().map(|_| 0).collect();
        let (mut at_a, mut at_b) = (0, 0);
        let size = inner.min(BLOCK);
        with_scratch(2 * size, |scratch: &mut [T]| {
            let (repeated_a, repeated_b) = scratch.split_at_mut(size);
            for row in y.chunks_exact_mut(inner) {
                if self.a[0] == 0 {
                    repeated_a.fill(a[at_a]);
                }
                if self.b[0] == 0 {
                    repeated_b.fill(b[at_b]);
                }
                for (k, block) in row.chunks_mut(BLOCK).enumerate() {
                    let a = if self.a[0] == 0 { &*repeated_a } else { &a[at_a + k * BLOCK..] };
                    let b = if self.b[0] == 0 { &*repeated_b } else { &b[at_b + k * BLOCK..] };
                    f(a, b, block);
                }
                for axis in 1..self.shape.len() {
                    index[axis] += 1;
                    at_a += self.a[axis];
                    at_b += self.b[axis];
                    if index[axis] < self.shape[axis] {
                        break;
                    }
                    at_a -= self.a[axis] * self.shape[axis];
                    at_b -= self.b[axis] * self.shape[axis];
                    index[axis] = 0;
                }
            }
        });
    }
}

/// `y = f(a, b)` with both inputs broadcast to the output.
///
/// An input that repeats along the innermost axis is written out to a block, so that all rows run the same loop.
pub(crate) fn zip<T: Float>(plan: &Broadcast, a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    plan.for_each_row(a, b, y, &|a, b, y| zip_chunk(a, b, y, &f));
}
