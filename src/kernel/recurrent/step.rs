//! One step of a recurrent layer, after the products with the weights, and of backpropagation through time, before them.
//!
//! Every loop is over a few slices, so that it is vectorized; a row of each stays in the first-level cache.

use crate::kernel::Float;
use crate::kernel::recurrent::{Backward, Forward};

/// The gates of a row.
#[inline(always)]
fn split<T, const N: usize>(row: &[T], size: usize) -> [&[T]; N] {
    std::array::from_fn(|k| &row[k * size..(k + 1) * size])
}

/// [`split`] for writing.
#[inline(always)]
fn split_mut<T, const N: usize>(row: &mut [T], size: usize) -> [&mut [T]; N] {
    let mut gates = row.chunks_exact_mut(size);
    std::array::from_fn(|_| gates.next().expect("a row has all gates"))
}

/// `x ← f(x)` for each element.
#[inline(always)]
fn update<T: Float>(x: &mut [T], f: impl Fn(T) -> T) {
    x.iter_mut().for_each(|x| *x = f(*x));
}

/// The derivative of the sigmoid function, given its value.
#[inline(always)]
fn sigmoid_slope<T: Float>(y: T) -> T {
    y * (T::ONE - y)
}

/// The derivative of the hyperbolic tangent, given its value.
#[inline(always)]
fn tanh_slope<T: Float>(y: T) -> T {
    T::ONE - y * y
}

simd! {
    /// `y = tanh(a)` or `max(a, 0)`.
    pub(crate) fn activation[T: Float](relu: bool, rows: Forward<T>) {
        let Forward { gates, y, state: [h, _], before, .. } = rows;
        before.copy_from_slice(h);
        if relu {
            update(gates, |a| if a <= T::ZERO { T::ZERO } else { a });
        } else {
            update(gates, #[inline(always)] |a| a.tanh());
        }
        y.copy_from_slice(gates);
        h.copy_from_slice(gates);
    }
}

simd! {
    /// `ga = (gy + gh) f′(a)`.
    pub(crate) fn activation_backward[T: Float](relu: bool, rows: &mut Backward<T>) {
        let gradients = rows.ggates.iter_mut().zip(rows.gy).zip(&*rows.state[0]).zip(rows.gates);
        if relu {
            gradients.for_each(|(((ga, &gy), &gh), &y)| *ga = if y > T::ZERO { gy + gh } else { T::ZERO });
        } else {
            gradients.for_each(|(((ga, &gy), &gh), &y)| *ga = (gy + gh) * tanh_slope(y));
        }
    }
}

simd! {
    /// `c ← σ(f) c + σ(i) tanh(g)` and `y = σ(o) tanh(c)`.
    pub(crate) fn lstm[T: Float](size: usize, rows: Forward<T>) {
        let Forward { gates, y, state: [h, c], before, extra } = rows;
        before.copy_from_slice(h);
        extra.copy_from_slice(c);
        let rows = gates.chunks_exact_mut(4 * size).zip(c.chunks_exact_mut(size)).zip(y.chunks_exact_mut(size));
        for ((gates, c), y) in rows {
            let [i, f, g, o] = split_mut(gates, size);
            update(i, #[inline(always)] |a| a.sigmoid());
            update(f, #[inline(always)] |a| a.sigmoid());
            update(g, #[inline(always)] |a| a.tanh());
            update(o, #[inline(always)] |a| a.sigmoid());
            for (((c, &i), &f), &g) in c.iter_mut().zip(&*i).zip(&*f).zip(&*g) {
                *c = f * *c + i * g;
            }
            for ((y, &c), &o) in y.iter_mut().zip(&*c).zip(&*o) {
                *y = o * c.tanh();
            }
        }
        h.copy_from_slice(y);
    }
}

simd! {
    /// With `gh + gy` for gh and `gc + (gh + gy) o (1 − tanh² c)` for gc: the gradients of the gates, and `gc ← gc f`.
    pub(crate) fn lstm_backward[T: Float](size: usize, rows: &mut Backward<T>) {
        let Backward { gates, extra, gy, state: [gh, gc], ggates, .. } = rows;
        let rows = gates.chunks_exact(4 * size).zip(ggates.chunks_exact_mut(4 * size));
        let states = gh.chunks_exact_mut(size).zip(gc.chunks_exact_mut(size));
        for (((gates, ggates), (gh, gc)), (before, gy)) in
            rows.zip(states).zip(extra.chunks_exact(size).zip(gy.chunks_exact(size)))
        {
            let [i, f, g, o] = split(gates, size);
            let [gi, gf, gg, go] = split_mut(ggates, size);
            gh.iter_mut().zip(gy).for_each(|(gh, &gy)| *gh += gy);
            // Until it is overwritten, the gradient of o is the tanh of c.
            for ((((tanh, &i), &f), &g), &c) in go.iter_mut().zip(i).zip(f).zip(g).zip(before) {
                *tanh = (f * c + i * g).tanh();
            }
            for (((gc, &gh), &o), &tanh) in gc.iter_mut().zip(&*gh).zip(o).zip(&*go) {
                *gc += gh * o * tanh_slope(tanh);
            }
            for ((go, &gh), &o) in go.iter_mut().zip(&*gh).zip(o) {
                *go = gh * *go * sigmoid_slope(o);
            }
            for (((gi, &gc), &i), &g) in gi.iter_mut().zip(&*gc).zip(i).zip(g) {
                *gi = gc * g * sigmoid_slope(i);
            }
            for (((gf, &gc), &f), &c) in gf.iter_mut().zip(&*gc).zip(f).zip(before) {
                *gf = gc * c * sigmoid_slope(f);
            }
            for (((gg, &gc), &i), &g) in gg.iter_mut().zip(&*gc).zip(i).zip(g) {
                *gg = gc * i * tanh_slope(g);
            }
            gc.iter_mut().zip(f).for_each(|(gc, &f)| *gc *= f);
        }
    }
}

simd! {
    /// `y = (1 − z) n + z h` with `n = tanh(a + r h′)`, where the last of the products with h is h′.
    pub(crate) fn gru[T: Float](size: usize, products: &[T], rows: Forward<T>) {
        let Forward { gates, y, state: [h, _], before, extra } = rows;
        before.copy_from_slice(h);
        let rows = gates.chunks_exact_mut(3 * size).zip(products.chunks_exact(3 * size));
        let states = y.chunks_exact_mut(size).zip(extra.chunks_exact_mut(size)).zip(before.chunks_exact(size));
        for ((gates, products), ((y, extra), h)) in rows.zip(states) {
            let [r, z, n] = split_mut(gates, size);
            let [hr, hz, hn] = split(products, size);
            extra.copy_from_slice(hn);
            r.iter_mut().zip(hr).for_each(#[inline(always)] |(r, &product)| *r = (*r + product).sigmoid());
            z.iter_mut().zip(hz).for_each(#[inline(always)] |(z, &product)| *z = (*z + product).sigmoid());
            for ((n, &r), &product) in n.iter_mut().zip(&*r).zip(hn) {
                *n = (*n + r * product).tanh();
            }
            for (((y, &z), &n), &h) in y.iter_mut().zip(&*z).zip(&*n).zip(h) {
                *y = (T::ONE - z) * n + z * h;
            }
        }
        h.copy_from_slice(y);
    }
}

simd! {
    /// With `gh + gy` for gh: the gradients of the gates and of the products with h, and `gh ← gh z`.
    pub(crate) fn gru_backward[T: Float](size: usize, rows: &mut Backward<T>) {
        let Backward { gates, before, extra, gy, state: [gh, _], ggates, gproducts } = rows;
        let rows = gates.chunks_exact(3 * size).zip(ggates.chunks_exact_mut(3 * size));
        let states = before.chunks_exact(size).zip(extra.chunks_exact(size)).zip(gy.chunks_exact(size));
        for ((((gates, ggates), gproducts), gh), ((h, hn), gy)) in
            rows.zip(gproducts.chunks_exact_mut(3 * size)).zip(gh.chunks_exact_mut(size)).zip(states)
        {
            let [r, z, n] = split(gates, size);
            let [gr, gz, gn] = split_mut(ggates, size);
            gh.iter_mut().zip(gy).for_each(|(gh, &gy)| *gh += gy);
            for ((((gz, &gh), &z), &n), &h) in gz.iter_mut().zip(&*gh).zip(z).zip(n).zip(h) {
                *gz = gh * (h - n) * sigmoid_slope(z);
            }
            for (((gn, &gh), &z), &n) in gn.iter_mut().zip(&*gh).zip(z).zip(n) {
                *gn = gh * (T::ONE - z) * tanh_slope(n);
            }
            for (((gr, &gn), &r), &product) in gr.iter_mut().zip(&*gn).zip(r).zip(hn) {
                *gr = gn * product * sigmoid_slope(r);
            }
            gh.iter_mut().zip(z).for_each(|(gh, &z)| *gh *= z);
            gproducts.copy_from_slice(ggates);
            gproducts[2 * size..].iter_mut().zip(r).for_each(|(gn, &r)| *gn *= r);
        }
    }
}
