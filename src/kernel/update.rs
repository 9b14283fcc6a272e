//! Optimizer updates: one pass over a parameter, its gradient and up to four state tensors.

use crate::kernel::Float;
use crate::kernel::base::memory::prefetch;
use crate::kernel::base::threads::{CHUNK_MULTIPLE, Chunks, chunk_size, for_each_index};

/// Computes `(p, s) = f(p, g, s)` for each element, where s are its `N` state values; multithreaded.
///
/// If `rows` are given, g has these rows of p alone, and only these are updated. They must be distinct.
#[inline]
pub(crate) fn elementwise<T: Float, const N: usize>(
    p: &mut [T],
    g: &[T],
    state: [&mut [T]; N],
    rows: Option<&[usize]>,
    f: impl Fn(T, T, [T; N]) -> (T, [T; N]) + Sync,
) {
    const { assert!(N <= 4, "an update works on up to four tensors of state") }
    let mut state = state.into_iter();
    let state = std::array::from_fn(|_| state.next().unwrap_or_default());
    let pass = |p: &mut [T], g: &[T], [a, b, c, d]: [&mut [T]; 4]| piece(p, g, a, b, c, d, &f);
    match rows {
        None => share(p, g, state, &pass),
        Some(rows) => update_rows(p, g, state, rows, &pass),
    }
}

/// A pass over a chunk of the parameter, of the gradient and of each state tensor.
type Pass<'a, T> = dyn Fn(&mut [T], &[T], [&mut [T]; 4]) + Sync + 'a;

/// Runs a pass on several threads if there are many elements. Compiled once for all closures.
#[inline(never)]
fn share<T: Float>(p: &mut [T], g: &[T], state: [&mut [T]; 4], pass: &Pass<T>) {
    let size = chunk_size(p.len(), CHUNK_MULTIPLE);
    if p.len() <= size {
        return pass(p, g, state);
    }
    let (p, state) = (Chunks::new(p, size), state.map(|state| Chunks::new(state, size)));
    for_each_index(p.count(), |index| {
        // SAFETY: each index is processed once, so the chunks are not aliased.
        let (p, state) = unsafe { (p.get(index), state.each_ref().map(|state| state.get(index))) };
        pass(p, &g[index * size..], state);
    });
}

/// Rows between that which is updated and that which is fetched from memory meanwhile: they are anywhere in the table.
const AHEAD: usize = 3;

/// Runs a pass for each of the given rows of the parameter and of the state, on several threads if they are many. Compiled once for
/// all closures.
///
/// # Panics
/// If the rows are not ascending.
#[inline(never)]
fn update_rows<T: Float>(p: &mut [T], g: &[T], state: [&mut [T]; 4], rows: &[usize], pass: &Pass<T>) {
    assert!(rows.is_sorted_by(|a, b| a < b), "the rows of an update are distinct");
    let Some(size) = g.len().checked_div(rows.len()).filter(|&size| size > 0) else { return };
    let (p, state) = (Chunks::new(p, size), state.map(|state| Chunks::new(state, size)));
    let run = chunk_size(g.len(), size).div_ceil(size);
    for_each_index(rows.len().div_ceil(run), |index| {
        let rows = &rows[index * run..((index + 1) * run).min(rows.len())];
        // SAFETY: the rows are distinct and each is processed once, so the chunks are not aliased.
        let row = |k: usize| unsafe { (p.get(rows[k]), state.each_ref().map(|state| state.get(rows[k]))) };
        for k in 0..rows.len() {
            if k + AHEAD < rows.len() {
                let (p, state) = row(k + AHEAD);
                prefetch(p);
                state.iter().for_each(|state| prefetch(state));
            }
            let (p, state) = row(k);
            pass(p, &g[(index * run + k) * size..], state);
        }
    });
}

simd! {
    /// Updates one chunk. State slices after the `N`-th are empty. They are separate arguments and not an array so that the
    /// compiler knows that they do not overlap.
    pub(crate) fn piece[T: Float, const N: usize, F: Fn(T, T, [T; N]) -> (T, [T; N])](
        p: &mut [T],
        g: &[T],
        a: &mut [T],
        b: &mut [T],
        c: &mut [T],
        d: &mut [T],
        f: &F,
    ) {
        let n = p.len();
        // Truncating the slices to the length of the loop removes the bounds checks from it.
        let length = |k: usize| if k < N { n } else { 0 };
        let (g, a, b, c, d) =
            (&g[..n], &mut a[..length(0)], &mut b[..length(1)], &mut c[..length(2)], &mut d[..length(3)]);
        for i in 0..n {
            let mut state = [T::ZERO; N];
            if N > 0 {
                state[0] = a[i];
            }
            if N > 1 {
                state[1] = b[i];
            }
            if N > 2 {
                state[2] = c[i];
            }
            if N > 3 {
                state[3] = d[i];
            }
            let (parameter, state) = (*f)(p[i], g[i], state);
            p[i] = parameter;
            if N > 0 {
                a[i] = state[0];
            }
            if N > 1 {
                b[i] = state[1];
            }
            if N > 2 {
                c[i] = state[2];
            }
            if N > 3 {
                d[i] = state[3];
            }
        }
    }
}
