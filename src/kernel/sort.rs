//! The order of the elements along the middle axis of `[outer, n, inner]`.

use crate::kernel::Float;
use crate::kernel::base::threads::{chunk_size, for_each_chunk};

/// The positions of the first `count` elements in sorted order: equal elements keep their order, and NaN is the greatest.
#[inline(never)]
pub(crate) fn order<T: Float>(
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
        let mut row = Vec::new();
        for (x, positions) in x[index * blocks * whole..].chunks_exact(whole).zip(positions.chunks_exact_mut(chosen)) {
            for column in 0..inner {
                let elements = x[column..].iter().step_by(inner).enumerate();
                select(elements.map(|(k, x)| element(x.to_f64(), k, descending)), count, &mut row);
                let places = positions[column..].iter_mut().step_by(inner);
                places.zip(row.drain(..)).for_each(|(place, element)| *place = element as usize);
            }
        }
    });
}

/// An element with its position as one integer: elements compare as these do, and equal elements by their positions.
fn element(x: f64, position: usize, descending: bool) -> u128 {
    // Both zeros are equal, and so is every NaN.
    let bits = if x.is_nan() { f64::NAN.abs().to_bits() } else { (x + 0.0).to_bits() };
    let key = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    u128::from(if descending { !key } else { key }) << 64 | position as u128
}

/// Fills an empty list with the `count` smallest elements, in order.
fn select(elements: impl Iterator<Item = u128>, count: usize, list: &mut Vec<u128>) {
    // The largest of `count` elements: what is not below it is not among the smallest.
    let mut bound = u128::MAX;
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
