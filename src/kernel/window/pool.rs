//! Pooling: the largest element or the mean of each window.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{Pieces, for_each_piece};
use crate::kernel::window::Windows;
use std::ops::Range;

/// The first largest element of each window of images `[…, H, W]`, and the number of the tap under which it lies, from 0 in
/// the order of the kernel's rows; a NaN beats all.
pub(crate) fn max<T: Float>(windows: &Windows, x: &[T], y: &mut [T], taps: &mut [T]) {
    let (pixels, places) = (windows.pixels().max(1), windows.places().max(1));
    let rows: Vec<_> = (0..windows.output[0]).map(|window| windows.taps_of(0, window)).collect();
    let columns: Vec<_> = (0..windows.kernel[1]).map(|tap| windows.windows_of(1, tap)).collect();
    let images = images_together(windows);
    let taps = Pieces::new(taps, images * places);
    for_each_piece(y, images * places, |piece, y| {
        // SAFETY: every piece is asked for once.
        let taps = unsafe { taps.get(piece) };
        let results = y.chunks_exact_mut(places).zip(taps.chunks_exact_mut(places));
        for ((y, taps), x) in results.zip(x[piece * images * pixels..].chunks_exact(pixels)) {
            max_of_image(windows, &rows, &columns, x, y, taps);
        }
    });
}

/// Images that are worth a thread of their own.
fn images_together(windows: &Windows) -> usize {
    const PIXELS: usize = 1 << 14;
    PIXELS.div_ceil(windows.pixels().max(1))
}

simd! {
    /// [`max`] of one image.
    pub(crate) fn max_of_image[T: Float](
        windows: &Windows,
        rows: &[(Range<usize>, usize)],
        columns: &[(Range<usize>, usize)],
        x: &[T],
        y: &mut [T],
        taps: &mut [T],
    ) {
        if windows.halve() {
            return max_of_squares(windows.input[1], windows.output[1], x, y, taps);
        }
        let (width, across) = (windows.input[1], windows.output[1].max(1));
        // A tap at a time challenges the best so far of a row of windows.
        for ((y, taps), (down, top)) in y.chunks_exact_mut(across).zip(taps.chunks_exact_mut(across)).zip(rows) {
            y.fill(T::NEG_INFINITY);
            taps.fill(-T::ONE);
            for (k, row) in down.clone().enumerate() {
                let line = &x[(top + k * windows.dilation[0]) * width..][..width];
                for (column, (range, left)) in columns.iter().enumerate().filter(|(_, (range, _))| !range.is_empty()) {
                    let (y, taps) = (&mut y[range.clone()], &mut taps[range.clone()]);
                    let tap = T::from_f64((row * windows.kernel[1] + column) as f64);
                    match windows.stride[1] {
                        1 => challenge(&line[*left..], 1, tap, y, taps),
                        2 => challenge(&line[*left..], 2, tap, y, taps),
                        step => challenge(&line[*left..], step, tap, y, taps),
                    }
                }
            }
        }
    }
}

/// [`max`] of one image whose windows are squares of four, one beside the other: the usual case, two to three times as fast.
#[inline(always)]
fn max_of_squares<T: Float>(width: usize, across: usize, x: &[T], y: &mut [T], taps: &mut [T]) {
    let rows = y.chunks_exact_mut(across).zip(taps.chunks_exact_mut(across));
    for ((y, taps), lines) in rows.zip(x.chunks_exact(2 * width)) {
        let (upper, lower) = lines.split_at(width);
        let squares = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for ((y, best), (upper, lower)) in y.iter_mut().zip(taps).zip(squares) {
            (*y, *best) = (upper[0], T::ZERO);
            for (x, tap) in [(upper[1], T::ONE), (lower[0], T::ONE + T::ONE), (lower[1], T::ONE + T::ONE + T::ONE)] {
                let wins = (x > *y) | (x.is_nan() & !y.is_nan());
                (*y, *best) = if wins { (x, tap) } else { (*y, *best) };
            }
        }
    }
}

/// Puts those of every `step`-th x in the place of y that are larger than it, and their tap beside them.
#[inline(always)]
fn challenge<T: Float>(x: &[T], step: usize, tap: T, y: &mut [T], taps: &mut [T]) {
    assert!(x.len() > (y.len() - 1) * step);
    for (k, (y, best)) in y.iter_mut().zip(taps).enumerate() {
        // SAFETY: as asserted. A check in here would keep the loop from being vectorised.
        let x = unsafe { *x.get_unchecked(k * step) };
        // Without branches, which half of the time would be taken the wrong way.
        let wins = (*best < T::ZERO) | (x > *y) | (x.is_nan() & !y.is_nan());
        (*y, *best) = if wins { (x, tap) } else { (*y, *best) };
    }
}

/// Calls `f` with each place of one image's results and the pixel under its tap.
#[inline(always)]
fn for_each_pixel<T: Float>(windows: &Windows, offsets: &[usize], taps: &[T], mut f: impl FnMut(usize, usize)) {
    let across = windows.output[1].max(1);
    let padding = windows.padding[0] * windows.input[1] + windows.padding[1];
    for (row, taps) in taps.chunks_exact(across).enumerate() {
        for (column, tap) in taps.iter().enumerate() {
            // The first tap may lie before the image, the one that was the largest does not.
            let first = row * windows.stride[0] * windows.input[1] + column * windows.stride[1];
            // SAFETY: the number of a tap is a small whole number.
            let tap = unsafe { tap.to_f64().to_int_unchecked::<usize>() };
            f(row * across + column, first + offsets[tap] - padding);
        }
    }
}

/// How far each tap is from the first on an image.
fn offsets(windows: &Windows) -> Vec<usize> {
    let [down, across] = windows.dilation;
    let offset = |tap: usize| tap / windows.kernel[1] * down * windows.input[1] + tap % windows.kernel[1] * across;
    (0..windows.taps()).map(offset).collect()
}

/// The elements under the taps that [`max`] found.
pub(crate) fn pick<T: Float>(windows: &Windows, x: &[T], taps: &[T], y: &mut [T]) {
    let (pixels, places, offsets) = (windows.pixels().max(1), windows.places().max(1), offsets(windows));
    let images = x.chunks_exact(pixels).zip(taps.chunks_exact(places));
    for ((x, taps), y) in images.zip(y.chunks_exact_mut(places)) {
        for_each_pixel(windows, &offsets, taps, |place, pixel| y[place] = x[pixel]);
    }
}

/// Adds elements to zeros under the taps that [`max`] found: the adjoint of [`pick`].
pub(crate) fn put<T: Float>(windows: &Windows, y: &[T], taps: &[T], x: &mut [T]) {
    let (pixels, places, offsets) = (windows.pixels().max(1), windows.places().max(1), offsets(windows));
    let images = images_together(windows);
    for_each_piece(x, images * pixels, |piece, x| {
        let first = piece * images * places;
        let results = y[first..].chunks_exact(places).zip(taps[first..].chunks_exact(places));
        if windows.halve() {
            for (x, (y, taps)) in x.chunks_exact_mut(pixels).zip(results) {
                put_into_squares(windows.input[1], windows.output[1], y, taps, x);
            }
            return;
        }
        x.fill(T::ZERO);
        for (x, (y, taps)) in x.chunks_exact_mut(pixels).zip(results) {
            for_each_pixel(windows, &offsets, taps, |place, pixel| x[pixel] += y[place]);
        }
    });
}

simd! {
    /// [`put`] for one image whose windows are squares of four, one beside the other.
    pub(crate) fn put_into_squares[T: Float](width: usize, across: usize, y: &[T], taps: &[T], x: &mut [T]) {
        let (squares, rest) = x.split_at_mut(y.len() / across * 2 * width);
        rest.fill(T::ZERO);
        let rows = y.chunks_exact(across).zip(taps.chunks_exact(across));
        for (lines, (y, taps)) in squares.chunks_exact_mut(2 * width).zip(rows) {
            let (upper, lower) = lines.split_at_mut(width);
            for (line, first) in [(upper, T::ZERO), (lower, T::ONE + T::ONE)] {
                let (squares, rest) = line.split_at_mut(2 * across);
                for (x, (&y, &tap)) in squares.chunks_exact_mut(2).zip(y.iter().zip(taps)) {
                    x[0] = if tap == first { y } else { T::ZERO };
                    x[1] = if tap == first + T::ONE { y } else { T::ZERO };
                }
                rest.fill(T::ZERO);
            }
        }
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
