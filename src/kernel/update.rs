//! Optimizer updates: one pass over parameter, gradient and up to three tensors of state.

use super::Float;

simd! {
    /// `p = f(p, g)`.
    pub(crate) fn stateless[T: Float, F: Fn(T, T) -> T](p: &mut [T], g: &[T], f: F) {
        for (p, &g) in p.iter_mut().zip(g) {
            *p = f(*p, g);
        }
    }
}

simd! {
    /// `(p, a) = f(p, g, a)`.
    pub(crate) fn with_one[T: Float, F: Fn(T, T, T) -> (T, T)](p: &mut [T], g: &[T], a: &mut [T], f: F) {
        for ((p, &g), a) in p.iter_mut().zip(g).zip(a) {
            (*p, *a) = f(*p, g, *a);
        }
    }
}

simd! {
    /// `(p, [a, b]) = f(p, g, [a, b])`.
    pub(crate) fn with_two[T: Float, F: Fn(T, T, [T; 2]) -> (T, [T; 2])](
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

simd! {
    /// `(p, [a, b, c]) = f(p, g, [a, b, c])`.
    pub(crate) fn with_three[T: Float, F: Fn(T, T, [T; 3]) -> (T, [T; 3])](
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
