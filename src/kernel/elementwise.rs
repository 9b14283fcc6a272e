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
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| map_chunk(&x[index * size..], y, &f));
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
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| zip_chunk(&a[index * size..], &b[index * size..], y, &f));
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
    let size = chunk_size(y.len(), CHUNK_MULTIPLE);
    for_each_chunk(y, size, |index, y| update_chunk(y, &x[index * size..], &f));
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
}

simd! {
    /// `y = f(a, b)` with both inputs broadcast to the output.
    pub(crate) fn zip[T: Float, F: Fn(T, T) -> T](plan: &Broadcast, a: &[T], b: &[T], y: &mut [T], f: F) {
        let inner = plan.shape[0];
        if y.is_empty() {
            return;
        }
        let mut index: Dims = plan.shape.iter().map(|_| 0).collect();
        let (mut at_a, mut at_b) = (0, 0);
        for row in y.chunks_exact_mut(inner) {
            match (plan.a[0], plan.b[0]) {
                (0, 0) => row.fill(f(a[at_a], b[at_b])),
                (0, _) => {
                    let x = a[at_a];
                    for (y, &b) in row.iter_mut().zip(&b[at_b..at_b + inner]) {
                        *y = f(x, b);
                    }
                }
                (_, 0) => {
                    let x = b[at_b];
                    for (y, &a) in row.iter_mut().zip(&a[at_a..at_a + inner]) {
                        *y = f(a, x);
                    }
                }
                _ => {
                    for ((y, &a), &b) in row.iter_mut().zip(&a[at_a..at_a + inner]).zip(&b[at_b..at_b + inner]) {
                        *y = f(a, b);
                    }
                }
            }
            for axis in 1..plan.shape.len() {
                index[axis] += 1;
                at_a += plan.a[axis];
                at_b += plan.b[axis];
                if index[axis] < plan.shape[axis] {
                    break;
                }
                at_a -= plan.a[axis] * plan.shape[axis];
                at_b -= plan.b[axis] * plan.shape[axis];
                index[axis] = 0;
            }
        }
    }
}
