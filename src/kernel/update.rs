//! Optimizer updates: one pass over parameter, gradient and up to three tensors of state.

use crate::kernel::Float;
use crate::kernel::base::threads::{CHUNK_MULTIPLE, Chunks, chunk_size, for_each_index};

/// Shares out the pass over a parameter, its gradient and its state among threads.
fn share<T: Float, const N: usize>(
    p: &mut [T],
    g: &[T],
    state: [&mut [T]; N],
    pass: impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync,
) {
    let size = chunk_size(p.len(), CHUNK_MULTIPLE);
    let (p, state) = (Chunks::new(p, size), state.map(|state| Chunks::new(state, size)));
    for_each_index(p.count(), |index| {
        // SAFETY: every index is worked on once.
        let (p, state) = unsafe { (p.get(index), state.each_ref().map(|state| state.get(index))) };
        pass(p, &g[index * size..], state);
    });
}

/// `p = f(p, g)`.
pub(crate) fn stateless<T: Float>(p: &mut [T], g: &[T], f: impl Fn(T, T) -> T + Sync) {
    share(p, g, [], |p, g, []| stateless_piece(p, g, &f));
}

simd! {
    pub(crate) fn stateless_piece[T: Float, F: Fn(T, T) -> T](p: &mut [T], g: &[T], f: F) {
        for (p, &g) in p.iter_mut().zip(g) {
            *p = f(*p, g);
        }
    }
}

/// `(p, a) = f(p, g, a)`.
pub(crate) fn with_one<T: Float>(p: &mut [T], g: &[T], a: &mut [T], f: impl Fn(T, T, T) -> (T, T) + Sync) {
    share(p, g, [a], |p, g, [a]| with_one_piece(p, g, a, &f));
}

simd! {
    pub(crate) fn with_one_piece[T: Float, F: Fn(T, T, T) -> (T, T)](p: &mut [T], g: &[T], a: &mut [T], f: F) {
        for ((p, &g), a) in p.iter_mut().zip(g).zip(a) {
            (*p, *a) = f(*p, g, *a);
        }
    }
}

/// `(p, [a, b]) = f(p, g, [a, b])`.
pub(crate) fn with_two<T: Float>(
    p: &mut [T],
    g: &[T],
    a: &mut [T],
    b: &mut [T],
    f: impl Fn(T, T, [T; 2]) -> (T, [T; 2]) + Sync,
) {
    share(p, g, [a, b], |p, g, [a, b]| with_two_piece(p, g, a, b, &f));
}

simd! {
    pub(crate) fn with_two_piece[T: Float, F: Fn(T, T, [T; 2]) -> (T, [T; 2])](
        p: &mut [T],
        g: &[T],
        a: &mut [T],
        b: &mut [T],
        f: F,
    ) {
        for (((p, &g), a), b) in p.iter_mut().zip(g).zip(a).zip(b) {
            (*p, [*a, *b]) = f(*p, g, [*a, *b]);
        }
    }
}

/// `(p, [a, b, c]) = f(p, g, [a, b, c])`.
pub(crate) fn with_three<T: Float>(
    p: &mut [T],
    g: &[T],
    [a, b, c]: [&mut [T]; 3],
    f: impl Fn(T, T, [T; 3]) -> (T, [T; 3]) + Sync,
) {
    share(p, g, [a, b, c], |p, g, [a, b, c]| with_three_piece(p, g, a, b, c, &f));
}

simd! {
    pub(crate) fn with_three_piece[T: Float, F: Fn(T, T, [T; 3]) -> (T, [T; 3])](
        p: &mut [T],
        g: &[T],
        a: &mut [T],
        b: &mut [T],
        c: &mut [T],
        f: F,
    ) {
        for ((((p, &g), a), b), c) in p.iter_mut().zip(g).zip(a).zip(b).zip(c) {
            (*p, [*a, *b, *c]) = f(*p, g, [*a, *b, *c]);
        }
    }
}
