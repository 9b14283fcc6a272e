//! Elementwise loops over one input, or over two whose shapes broadcast.
//!
//! The compiler does not inline a long `f`, and a loop with a call is not vectorized. So closures that contain an exponential
//! or more are `#[inline(always)]`, and kernels call them as `(*f)(x)`: the implementation of `Fn` for references is one more
//! function that would have to be inlined.

use crate::kernel::Float;
use crate::kernel::base::dims::Dims;
use crate::kernel::base::threads::{CHUNK_MULTIPLE, chunk_size, for_each_chunk};

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

/// The same with two inputs.
#[inline(never)]
fn share_two<T: Float>(a: &[T], b: &[T], y: &mut [T], pass: &(dyn Fn(&[T], &[T], &mut [T]) + Sync)) {
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

    /// Calls `f` with each block of the last two axes of the output, and with the offsets of the inputs there.
    #[inline(never)]
    fn for_each_block<T: Float>(&self, y: &mut [T], f: &mut dyn FnMut(&mut [T], usize, usize)) {
        let size = self.shape.iter().take(2).product::<usize>().max(1);
        let mut index: Dims = self.shape.iter().map(|_| 0).collect();
        let (mut at_a, mut at_b) = (0, 0);
        for block in y.chunks_exact_mut(size) {
            f(block, at_a, at_b);
            for axis in 2..self.shape.len() {
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
    }
}

/// `y = f(a, b)` with both inputs broadcast to the output.
pub(crate) fn zip<T: Float>(plan: &Broadcast, a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    plan.for_each_block(y, &mut |y, at_a, at_b| zip_block(plan, &a[at_a..], &b[at_b..], y, &f));
}

simd! {
    /// The last two axes of [`zip`].
    pub(crate) fn zip_block[T: Float, F: Fn(T, T) -> T](plan: &Broadcast, a: &[T], b: &[T], y: &mut [T], f: &F) {
        let inner = plan.shape[0];
        let step = |strides: &Dims| strides.get(1).copied().unwrap_or(0);
        let (step_a, step_b) = (step(&plan.a), step(&plan.b));
        for (k, row) in y.chunks_exact_mut(inner).enumerate() {
            let (a, b) = (&a[k * step_a..], &b[k * step_b..]);
            match (plan.a[0], plan.b[0]) {
                (0, 0) => row.fill((*f)(a[0], b[0])),
                (0, _) => {
                    let a = a[0];
                    for (y, &b) in row.iter_mut().zip(b) {
                        *y = (*f)(a, b);
                    }
                }
                (_, 0) => {
                    let b = b[0];
                    for (y, &a) in row.iter_mut().zip(a) {
                        *y = (*f)(a, b);
                    }
                }
                _ => {
                    for ((y, &a), &b) in row.iter_mut().zip(a).zip(b) {
                        *y = (*f)(a, b);
                    }
                }
            }
        }
    }
}
