//! The order of the elements along the middle axis of `[outer, n, inner]`.

use crate::kernel::Float;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};

/// The positions of the first `count` elements in sorted order: equal elements keep their order, and NaN is the greatest.
pub(crate) fn order<T: Float>(
    x: &[T],
    n: usize,
    inner: usize,
    count: usize,
    descending: bool,
    positions: &mut [usize],
) {
    let order = if size_of::<T>() == 4 && n <= u32::MAX as usize { order_by::<T, u64> } else { order_by::<T, u128> };
    order(x, n, inner, count, descending, positions);
}

#[inline(never)]
fn order_by<T: Float, K: Key>(
    x: &[T],
    n: usize,
    inner: usize,
    count: usize,
    descending: bool,
    positions: &mut [usize],
) {
    let (whole, chosen) = ((n * inner).max(1), (count * inner).max(1));
    let blocks = chunk_size(x.len(), whole) / whole;
    for_each_chunk(positions, blocks * chosen, |index, positions| {
        let mut row = Vec::<K>::new();
        for (x, positions) in x[index * blocks * whole..].chunks_exact(whole).zip(positions.chunks_exact_mut(chosen)) {
            for column in 0..inner {
                let elements = x[column..].iter().step_by(inner).enumerate();
                select(elements.map(|(k, x)| K::new(x.to_f64(), k, descending)), count, &mut row);
                let places = positions[column..].iter_mut().step_by(inner);
                places.zip(row.drain(..)).for_each(|(place, key)| *place = key.position());
            }
        }
    });
}

/// An element with its position as one integer: elements compare as these do, and equal elements by their positions.
trait Key: Copy + Ord {
    const MAX: Self;
    fn new(x: f64, position: usize, descending: bool) -> Self;
    fn position(self) -> usize;
}

macro_rules! key {
    ($key:ty: $float:ty, $bits:ty) => {
        impl Key for $key {
            const MAX: Self = <$key>::MAX;

            #[inline(always)]
            fn new(x: f64, position: usize, descending: bool) -> Self {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                // Both zeros are equal, and so is every NaN.
                let x = x as $float + 0.0;
                let bits = if x.is_nan() { <$float>::NAN.abs().to_bits() } else { x.to_bits() };
                let order = if bits & SIGN == 0 { bits | SIGN } else { !bits };
                let order = if descending { !order } else { order };
                <$key>::from(order) << <$bits>::BITS | position as $key
            }

            #[inline(always)]
            fn position(self) -> usize {
                self as $bits as usize
            }
        }
    };
}
key!(u64: f32, u32);
key!(u128: f64, u64);

/// Fills an empty list with the `count` smallest elements, in order.
fn select<K: Key>(elements: impl Iterator<Item = K>, count: usize, list: &mut Vec<K>) {
    // The largest of `count` elements: what is not below it is not among the smallest.
    let mut bound = K::MAX;
    for element in elements {
        if element < bound {
            list.push(element);
        }
        if list.len() == 2 * count {
            bound = *list.select_nth_unstable(count - 1).1;
            list.truncate(count);
        }
    }
    list.sort_unstable();
    list.truncate(count);
}
