//! Pooling: the maximum or the mean of each window.

use crate::kernel::Float;
use crate::kernel::base::memory::{Block, with_scratch};
use crate::kernel::base::threads::{Chunks, for_each_chunk};
use crate::kernel::reduce::reduce_lanes;
use crate::kernel::window::Windows;
use std::ops::Range;

/// The kernel offset of the maximum of each window, numbered along the rows of the kernel.
///
/// The block may have more elements than there are windows.
pub(crate) type Argmax = Block<u32>;

/// The maximum of each window of images `[…, H, W]`, and its kernel offset: the first one of equals. A NaN is larger than any
/// number.
#[inline(never)]
pub(crate) fn max<T: Float>(windows: &Windows, x: &[T], y: &mut [T]) -> Argmax {
    assert!(u32::try_from(windows.kernel_len()).is_ok(), "a kernel offset must fit into 32 bits");
    let (mut argmax, _) = Argmax::take(y.len());
    let offsets = &mut argmax.elements_mut().expect("blocks are given out unshared")[..y.len()];
    let (input_len, output_len) = (windows.input_len().max(1), windows.output_len().max(1));
    let rows: Vec<_> = (0..windows.output[0]).map(|output| windows.valid_offsets(0, output)).collect();
    let columns: Vec<_> = (0..windows.kernel[1]).map(|offset| windows.valid_outputs(1, offset)).collect();
    let first: Vec<_> = (0..windows.output[1]).map(|output| windows.valid_offsets(1, output).0.start as u32).collect();
    let images = images_per_chunk(windows);
    let offsets = Chunks::new(offsets, images * output_len);
    for_each_chunk(y, images * output_len, |chunk, y| {
        // SAFETY: every chunk of y is visited once, so no two calls borrow the same chunk of the offsets.
        let offsets = unsafe { offsets.get(chunk) };
        let results = y.chunks_exact_mut(output_len).zip(offsets.chunks_exact_mut(output_len));
        for ((y, offsets), x) in results.zip(x[chunk * images * input_len..].chunks_exact(input_len)) {
            max_of_image(windows, &rows, &columns, &first, x, y, offsets);
        }
    });
    argmax
}

/// Images that are worth a thread.
fn images_per_chunk(windows: &Windows) -> usize {
    const MIN_ELEMENTS_PER_THREAD: usize = 1 << 14;
    MIN_ELEMENTS_PER_THREAD.div_ceil(windows.input_len().max(1))
}

simd! {
    /// [`max`] of one image.
    pub(crate) fn max_of_image[T: Float](
        windows: &Windows,
        rows: &[(Range<usize>, usize)],
        columns: &[(Range<usize>, usize)],
        first: &[u32],
        x: &[T],
        y: &mut [T],
        argmax: &mut [u32],
    ) {
        if windows.is_2x2_stride_2() {
            return max_2x2(windows.input[1], windows.output[1], x, y, argmax);
        }
        let (width, across) = (windows.input[1], windows.output[1].max(1));
        // For a row of windows, one kernel offset at a time updates the maxima so far.
        for ((y, argmax), (down, top)) in y.chunks_exact_mut(across).zip(argmax.chunks_exact_mut(across)).zip(rows) {
            y.fill(T::NEG_INFINITY);
            // Stays where all elements are −∞.
            let first_row = (down.start * windows.kernel[1]) as u32;
            argmax.iter_mut().zip(first).for_each(|(best, column)| *best = first_row + column);
            for (k, row) in down.clone().enumerate() {
                let line = &x[(top + k * windows.dilation[0]) * width..][..width];
                for (column, (range, left)) in columns.iter().enumerate().filter(|(_, (range, _))| !range.is_empty()) {
                    let (y, argmax) = (&mut y[range.clone()], &mut argmax[range.clone()]);
                    let offset = (row * windows.kernel[1] + column) as u32;
                    match windows.stride[1] {
                        1 => update_max(&line[*left..], 1, offset, y, argmax),
                        2 => update_max(&line[*left..], 2, offset, y, argmax),
                        step => update_max(&line[*left..], step, offset, y, argmax),
                    }
                }
            }
        }
    }
}

/// [`max`] of one image for adjacent 2 × 2 windows: the usual case, two to three times as fast as the general one.
#[inline(always)]
fn max_2x2<T: Float>(width: usize, across: usize, x: &[T], y: &mut [T], argmax: &mut [u32]) {
    let rows = y.chunks_exact_mut(across).zip(argmax.chunks_exact_mut(across));
    for ((y, argmax), lines) in rows.zip(x.chunks_exact(2 * width)) {
        let (upper, lower) = lines.split_at(width);
        let squares = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for ((y, best), (upper, lower)) in y.iter_mut().zip(argmax).zip(squares) {
            (*y, *best) = (upper[0], 0);
            for (x, offset) in [(upper[1], 1), (lower[0], 2), (lower[1], 3)] {
                let wins = (x > *y) | (x.is_nan() & !y.is_nan());
                (*y, *best) = if wins { (x, offset) } else { (*y, *best) };
            }
        }
    }
}

/// Replaces those of y that the elements of x, `step` apart, exceed, and their offsets.
#[inline(always)]
fn update_max<T: Float>(x: &[T], step: usize, offset: u32, y: &mut [T], argmax: &mut [u32]) {
    let Some(last) = y.len().checked_sub(1) else { return };
    assert!(last.checked_mul(step).is_some_and(|last| last < x.len()));
    for (k, (y, best)) in y.iter_mut().zip(argmax).enumerate() {
        // SAFETY: k ≤ last, so k · step neither overflows nor exceeds the length, as asserted. A bounds check here would keep
        // the loop from being vectorized.
        let x = unsafe { *x.get_unchecked(k * step) };
        // Without branches, of which half would be mispredicted.
        let wins = (x > *y) | (x.is_nan() & !y.is_nan());
        (*y, *best) = if wins { (x, offset) } else { (*y, *best) };
    }
}

/// Calls `f` with each window of one image and the position of its maximum on the image.
#[inline(always)]
fn for_each_maximum(windows: &Windows, positions: &[usize], argmax: &[u32], mut f: impl FnMut(usize, usize)) {
    let across = windows.output[1].max(1);
    let padding = windows.padding[0] * windows.input[1] + windows.padding[1];
    for (row, argmax) in argmax.chunks_exact(across).enumerate() {
        for (column, &offset) in argmax.iter().enumerate() {
            // The first element of the window may be on the padding, the maximum is not.
            let first = row * windows.stride[0] * windows.input[1] + column * windows.stride[1];
            f(row * across + column, first + positions[offset as usize] - padding);
        }
    }
}

/// The position of each kernel offset on an image, relative to the first.
fn relative_positions(windows: &Windows) -> Vec<usize> {
    let [down, across] = windows.dilation;
    let position =
        |offset: usize| offset / windows.kernel[1] * down * windows.input[1] + offset % windows.kernel[1] * across;
    (0..windows.kernel_len()).map(position).collect()
}

/// The elements at the maxima that [`max`] found.
#[inline(never)]
pub(crate) fn max_gather<T: Float>(windows: &Windows, x: &[T], argmax: &Argmax, y: &mut [T]) {
    let (input_len, output_len) = (windows.input_len().max(1), windows.output_len().max(1));
    let positions = relative_positions(windows);
    let images = x.chunks_exact(input_len).zip(argmax.elements().chunks_exact(output_len));
    for ((x, argmax), y) in images.zip(y.chunks_exact_mut(output_len)) {
        for_each_maximum(windows, &positions, argmax, |window, position| y[window] = x[position]);
    }
}

/// Adds elements to zeros at the maxima that [`max`] found: the adjoint of [`max_gather`].
#[inline(never)]
pub(crate) fn max_gradient<T: Float>(windows: &Windows, y: &[T], argmax: &Argmax, x: &mut [T]) {
    let (input_len, output_len) = (windows.input_len().max(1), windows.output_len().max(1));
    let (positions, argmax) = (relative_positions(windows), &argmax.elements()[..y.len()]);
    let images = images_per_chunk(windows);
    for_each_chunk(x, images * input_len, |chunk, x| {
        let first = chunk * images * output_len;
        let results = y[first..].chunks_exact(output_len).zip(argmax[first..].chunks_exact(output_len));
        if windows.is_2x2_stride_2() {
            for (x, (y, argmax)) in x.chunks_exact_mut(input_len).zip(results) {
                max_gradient_2x2(windows.input[1], windows.output[1], y, argmax, x);
            }
            return;
        }
        x.fill(T::ZERO);
        for (x, (y, argmax)) in x.chunks_exact_mut(input_len).zip(results) {
            for_each_maximum(windows, &positions, argmax, |window, position| x[position] += y[window]);
        }
    });
}

simd! {
    /// [`max_gradient`] of one image for adjacent 2 × 2 windows.
    pub(crate) fn max_gradient_2x2[T: Float](width: usize, across: usize, y: &[T], argmax: &[u32], x: &mut [T]) {
        let (squares, rest) = x.split_at_mut(y.len() / across * 2 * width);
        rest.fill(T::ZERO);
        let rows = y.chunks_exact(across).zip(argmax.chunks_exact(across));
        for (lines, (y, argmax)) in squares.chunks_exact_mut(2 * width).zip(rows) {
            let (upper, lower) = lines.split_at_mut(width);
            for (line, first) in [(upper, 0), (lower, 2)] {
                let (squares, rest) = line.split_at_mut(2 * across);
                for (x, (&y, &offset)) in squares.chunks_exact_mut(2).zip(y.iter().zip(argmax)) {
                    x[0] = if offset == first { y } else { T::ZERO };
                    x[1] = if offset == first + 1 { y } else { T::ZERO };
                }
                rest.fill(T::ZERO);
            }
        }
    }
}

/// The windows along one axis: the range of elements of each, and the divisor of its mean.
#[derive(Clone, Debug)]
pub(crate) struct AxisWindows {
    pub(crate) size: usize,
    pub(crate) windows: Vec<(Range<usize>, f64)>,
}

impl AxisWindows {
    /// The size of the windows and the distance between them, if these are the same for all, from the start of the axis, and each
    /// gives its mean.
    pub(crate) fn regular(&self) -> Option<(usize, usize)> {
        let size = self.windows.first()?.0.len();
        let stride = self.windows.get(1).map_or(size, |(second, _)| second.start).max(1);
        let fits = |(k, (range, count)): (usize, &(Range<usize>, f64))| {
            *range == (k * stride..k * stride + size) && *count == size as f64
        };
        self.windows.iter().enumerate().all(fits).then_some((size, stride))
    }

    /// The divisor of the mean, if a single window covers the axis.
    fn whole(&self) -> Option<f64> {
        let [(range, count)] = &self.windows[..] else { return None };
        (range.len() == self.size).then_some(*count)
    }
}

/// The mean of each window of images `[…, H, W]`; a window is a range of rows by a range of columns. Sums are in double precision.
#[inline(never)]
pub(crate) fn average<T: Float>([rows, columns]: [&AxisWindows; 2], x: &[T], y: &mut [T]) {
    let width = columns.size;
    if let (Some(down), Some(across)) = (rows.whole(), columns.whole()) {
        return average_images(x, rows.size * width, down * across, y);
    }
    with_scratch(width, |sums: &mut [f64]| {
        let mut lines = y.chunks_exact_mut(columns.windows.len().max(1));
        for x in x.chunks_exact((rows.size * width).max(1)) {
            for ((row, down), line) in rows.windows.iter().zip(&mut lines) {
                sums.fill(0.0);
                for x in x[row.start * width..row.end * width].chunks_exact(width) {
                    sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x.to_f64());
                }
                for (y, (column, across)) in line.iter_mut().zip(&columns.windows) {
                    *y = T::from_f64(sums[column.clone()].iter().sum::<f64>() / (down * across));
                }
            }
        }
    });
}

/// Elements of an image that are summed side by side: fixed, so that the result does not depend on the vector width.
const LANES: usize = 8;

simd! {
    /// [`average`] of whole images of `size` elements: their sums divided by `count`.
    pub(crate) fn average_images[T: Float](x: &[T], size: usize, count: f64, y: &mut [T]) {
        for (y, x) in y.iter_mut().zip(x.chunks_exact(size)) {
            let (groups, rest) = x.as_chunks::<LANES>();
            let mut sums = [0.0; LANES];
            for group in groups {
                for lane in 0..LANES {
                    sums[lane] += group[lane].to_f64();
                }
            }
            let rest: f64 = rest.iter().map(|x| x.to_f64()).sum();
            *y = T::from_f64((reduce_lanes(sums, |low, high| low + high) + rest) / count);
        }
    }
}

/// Distributes an element evenly over its window: the adjoint of [`average`].
#[inline(never)]
pub(crate) fn average_gradient<T: Float>([rows, columns]: [&AxisWindows; 2], y: &[T], x: &mut [T]) {
    let width = columns.size;
    if let (Some(down), Some(across)) = (rows.whole(), columns.whole()) {
        let share = T::from_f64(1.0 / (down * across));
        return x.chunks_exact_mut(rows.size * width).zip(y).for_each(|(x, &y)| x.fill(y * share));
    }
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
