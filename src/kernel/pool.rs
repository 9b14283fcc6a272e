//! Pooling: the largest element or the mean of each window.

use super::Float;
use super::memory::with_scratch;
use super::window::Windows;
use std::ops::Range;

/// The first largest element of each window and its position on its image, for images `[…, H, W]`; a NaN beats all.
pub(crate) fn max<T: Float>(windows: &Windows, x: &[T], y: &mut [T], positions: &mut [u32]) {
    let (pixels, [down, across]) = (windows.pixels(), windows.output);
    assert!(u32::try_from(pixels).is_ok(), "positions on an image have 32 bits");
    let rows: Vec<_> = (0..down).map(|window| windows.taps_of(0, window)).collect();
    let columns: Vec<_> = (0..across).map(|window| windows.taps_of(1, window)).collect();
    let mut results = y.iter_mut().zip(positions);
    for x in x.chunks_exact(pixels.max(1)) {
        for (rows, top) in &rows {
            for ((columns, left), (y, position)) in columns.iter().zip(&mut results) {
                let mut best = top * windows.input[1] + left;
                for row in 0..rows.len() {
                    let line = (top + row * windows.dilation[0]) * windows.input[1] + left;
                    for at in (0..columns.len()).map(|column| line + column * windows.dilation[1]) {
                        if x[at] > x[best] || (x[at].is_nan() && !x[best].is_nan()) {
                            best = at;
                        }
                    }
                }
                (*y, *position) = (x[best], best as u32);
            }
        }
    }
}

/// The elements at the positions of [`max`].
pub(crate) fn pick<T: Float>(windows: &Windows, x: &[T], positions: &[u32], y: &mut [T]) {
    let (pixels, places) = (windows.pixels().max(1), windows.places().max(1));
    let images = x.chunks_exact(pixels).zip(positions.chunks_exact(places));
    for ((x, positions), y) in images.zip(y.chunks_exact_mut(places)) {
        y.iter_mut().zip(positions).for_each(|(y, &at)| *y = x[at as usize]);
    }
}

/// Adds elements to zeros at the positions of [`max`]: the adjoint of [`pick`].
pub(crate) fn put<T: Float>(windows: &Windows, y: &[T], positions: &[u32], x: &mut [T]) {
    let (pixels, places) = (windows.pixels().max(1), windows.places().max(1));
    x.fill(T::ZERO);
    let images = x.chunks_exact_mut(pixels).zip(positions.chunks_exact(places));
    for ((x, positions), y) in images.zip(y.chunks_exact(places)) {
        y.iter().zip(positions).for_each(|(&y, &at)| x[at as usize] += y);
    }
}

/// The windows along one axis: which elements each of them covers, and what it divides their sum by.
#[derive(Clone, Debug)]
pub(crate) struct Spans {
    pub(crate) size: usize,
    pub(crate) windows: Vec<(Range<usize>, f64)>,
}

/// The mean of each window, a product of spans, on images `[…, H, W]`.
pub(crate) fn average<T: Float>([rows, columns]: [&Spans; 2], x: &[T], y: &mut [T]) {
    let width = columns.size;
    with_scratch(width, |sums: &mut [T]| {
        let mut lines = y.chunks_exact_mut(columns.windows.len().max(1));
        for x in x.chunks_exact((rows.size * width).max(1)) {
            for ((row, down), line) in rows.windows.iter().zip(&mut lines) {
                sums.fill(T::ZERO);
                for x in x[row.start * width..row.end * width].chunks_exact(width) {
                    sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
                }
                for (y, (column, across)) in line.iter_mut().zip(&columns.windows) {
                    let sum = sums[column.clone()].iter().fold(T::ZERO, |sum, &x| sum + x);
                    *y = sum * T::from_f64(1.0 / (down * across));
                }
            }
        }
    });
}

/// Spreads an element over its window, the same share for each: the adjoint of [`average`].
pub(crate) fn spread<T: Float>([rows, columns]: [&Spans; 2], y: &[T], x: &mut [T]) {
    let width = columns.size;
    x.fill(T::ZERO);
    with_scratch(width, |shares: &mut [T]| {
        let mut lines = y.chunks_exact(columns.windows.len().max(1));
        for x in x.chunks_exact_mut((rows.size * width).max(1)) {
            for ((row, down), line) in rows.windows.iter().zip(&mut lines) {
                shares.fill(T::ZERO);
                for (&y, (column, across)) in line.iter().zip(&columns.windows) {
                    let share = y * T::from_f64(1.0 / (down * across));
                    shares[column.clone()].iter_mut().for_each(|sum| *sum += share);
                }
                for x in x[row.start * width..row.end * width].chunks_exact_mut(width) {
                    x.iter_mut().zip(&*shares).for_each(|(x, &share)| *x += share);
                }
            }
        }
    });
}
