//! Sliding windows: their geometry, and copies between images and matrices of windows (im2col, col2im).

pub(crate) mod conv;
pub(crate) mod depthwise;
pub(crate) mod pool;
pub(crate) mod winograd;

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use std::ops::Range;

/// The geometry of windows along the last two axes of images. One-dimensional windows have a first axis of size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
    pub(crate) dilation: [usize; 2],
}

impl Windows {
    /// Elements of an image.
    pub(crate) fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Windows of an image.
    pub(crate) fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of a window.
    pub(crate) fn kernel_len(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Whether the windows are adjacent 2 × 2 squares, at least one, all within the image.
    pub(crate) fn is_2x2_stride_2(&self) -> bool {
        let inside = (0..2).all(|axis| (1..=self.input[axis] / 2).contains(&self.output[axis]));
        inside && self.kernel == [2, 2] && self.stride == [2, 2] && self.padding == [0, 0] && self.dilation == [1, 1]
    }

    /// The output positions at which a kernel offset is on the image rather than on the padding, and its position on the image at
    /// the first of them.
    pub(crate) fn valid_outputs(&self, axis: usize, offset: usize) -> (Range<usize>, usize) {
        self.overlap(axis, self.stride[axis], offset * self.dilation[axis], self.output[axis])
    }

    /// The kernel offsets that are on the image rather than on the padding at an output position, and the position on the image
    /// of the first of them.
    pub(crate) fn valid_offsets(&self, axis: usize, output: usize) -> (Range<usize>, usize) {
        self.overlap(axis, self.dilation[axis], output * self.stride[axis], self.kernel[axis])
    }

    /// Which of `count` points are on the image, and the position of the first of them. The points are `step` apart, the first
    /// one at `offset` from the start of the padding.
    fn overlap(&self, axis: usize, step: usize, offset: usize, count: usize) -> (Range<usize>, usize) {
        let (size, padding) = (self.input[axis], self.padding[axis]);
        let first = padding.saturating_sub(offset).div_ceil(step).min(count);
        let end = (size + padding).saturating_sub(offset).div_ceil(step).min(count).max(first);
        (first..end, (first * step + offset).saturating_sub(padding))
    }

    /// Elements between two rows of a [deinterleaved](with_deinterleaved) image, and between the first and the second part of a row.
    fn deinterleaved_steps(&self) -> [usize; 2] {
        let part = self.input[1].div_ceil(self.stride[1]);
        [part * self.stride[1].min(self.input[1]), part]
    }

    /// Calls `f` for each channel, kernel offset and one of some rows of output positions at which the offset is on the image: with
    /// the start of the row in the columns, the start of the elements on the [deinterleaved](with_deinterleaved) image, and their
    /// number.
    #[inline(always)]
    fn for_each_row(&self, channels: usize, rows: Range<usize>, mut f: impl FnMut(usize, usize, usize)) {
        let ([height, _], [_, output_width]) = (self.input, self.output);
        let [width, part] = self.deinterleaved_steps();
        for offset in 0..self.kernel_len() {
            let (down, top) = self.valid_outputs(0, offset / self.kernel[1]);
            let (across, left) = self.valid_outputs(1, offset % self.kernel[1]);
            let left = left % self.stride[1] * part + left / self.stride[1];
            let end = if across.is_empty() { 0 } else { down.end.min(rows.end) };
            for channel in 0..channels {
                let column = (channel * self.kernel_len() + offset) * rows.len() * output_width + across.start;
                let pixel = (channel * height + top) * width + left;
                for row in down.start.max(rows.start)..end {
                    let pixel = pixel + (row - down.start) * self.stride[0] * width;
                    f(column + (row - rows.start) * output_width, pixel, across.len());
                }
            }
        }
    }
}

/// Calls `f` with an image, in each row of which the columns that are a stride apart follow each other, so that windows side by side
/// read adjacent elements.
pub(crate) fn with_deinterleaved<T: Float>(windows: &Windows, x: &[T], f: impl FnOnce(&[T])) {
    let (width, stride, [step, _]) = (windows.input[1], windows.stride[1], windows.deinterleaved_steps());
    if stride == 1 || stride >= width {
        return f(x);
    }
    with_scratch(x.len() / width * step, |parts| {
        deinterleave(x, width, stride, parts);
        f(parts);
    });
}

/// Writes an image that `f` computes deinterleaved.
pub(crate) fn interleaved<T: Float>(windows: &Windows, x: &mut [T], f: impl FnOnce(&mut [T])) {
    let (width, stride, [step, _]) = (windows.input[1], windows.stride[1], windows.deinterleaved_steps());
    if stride == 1 || stride >= width {
        return f(x);
    }
    with_scratch(x.len() / width * step, |parts| {
        f(parts);
        interleave(parts, width, stride, x);
    });
}

simd! {
    /// Rows of `width` elements, each in `stride` parts of equal size: the elements that are a stride apart.
    pub(crate) fn deinterleave[T: Float](x: &[T], width: usize, stride: usize, parts: &mut [T]) {
        let size = width.div_ceil(stride);
        for (x, parts) in x.chunks_exact(width).zip(parts.chunks_exact_mut(size * stride)) {
            if stride == 2 {
                let (even, odd) = parts.split_at_mut(size);
                let (pairs, last) = x.as_chunks::<2>();
                pairs.iter().zip(&mut *even).zip(odd).for_each(|((pair, even), odd)| [*even, *odd] = *pair);
                last.iter().for_each(|&last| even[size - 1] = last);
                continue;
            }
            for (phase, part) in parts.chunks_exact_mut(size).enumerate() {
                part.iter_mut().zip(x[phase..].iter().step_by(stride)).for_each(|(part, &x)| *part = x);
            }
        }
    }
}

simd! {
    /// The inverse of [`deinterleave`].
    pub(crate) fn interleave[T: Float](parts: &[T], width: usize, stride: usize, x: &mut [T]) {
        let size = width.div_ceil(stride);
        for (x, parts) in x.chunks_exact_mut(width).zip(parts.chunks_exact(size * stride)) {
            if stride == 2 {
                let (even, odd) = parts.split_at(size);
                let (pairs, last) = x.as_chunks_mut::<2>();
                pairs.iter_mut().zip(even).zip(odd).for_each(|((pair, &even), &odd)| *pair = [even, odd]);
                last.iter_mut().for_each(|last| *last = even[size - 1]);
                continue;
            }
            for (phase, part) in parts.chunks_exact(size).enumerate() {
                x[phase..].iter_mut().step_by(stride).zip(part).for_each(|(x, &part)| *x = part);
            }
        }
    }
}

simd! {
    /// The windows of a deinterleaved image `[C, H, W]` in some rows as columns `[C · kernel_len, positions]`, 0 for padding.
    pub(crate) fn im2col[T: Float](windows: &Windows, channels: usize, rows: Range<usize>, x: &[T], columns: &mut [T]) {
        if windows.padding != [0, 0] {
            columns.fill(T::ZERO);
        }
        windows.for_each_row(channels, rows, |column, pixel, length| {
            copy(&x[pixel..][..length], &mut columns[column..][..length]);
        });
    }
}

/// Copies elements that are `step` apart.
#[inline(always)]
fn copy_strided<T: Float>(x: &[T], step: usize, y: &mut [T]) {
    match (step, y) {
        (1, y) => copy(&x[..y.len()], y),
        // In whole pairs the compiler vectorizes the loop; of the last one only the first element need exist.
        (2, [y @ .., last]) => {
            *last = x[2 * y.len()];
            y.iter_mut().zip(x.as_chunks::<2>().0).for_each(|(y, &[x, _])| *y = x);
        }
        (_, y) => (0..y.len()).for_each(|k| y[k] = x[k * step]),
    }
}

/// Adds to elements that are `step` apart.
#[inline(always)]
fn add_strided<T: Float>(x: &[T], y: &mut [T], step: usize) {
    match (step, x) {
        (1, x) => y.iter_mut().zip(x).for_each(|(y, &x)| *y += x),
        (2, [x @ .., last]) => {
            y[2 * x.len()] += *last;
            y.as_chunks_mut::<2>().0.iter_mut().zip(x).for_each(|([y, _], &x)| *y += x);
        }
        (_, x) => (0..x.len()).for_each(|k| y[k * step] += x[k]),
    }
}

/// Copies a short row, for which a call of `memcpy` takes longer than the copy. The last block overlaps the previous one.
#[inline(always)]
fn copy<T: Float>(x: &[T], y: &mut [T]) {
    const BLOCK: usize = 8;
    let Some(last) = x.len().checked_sub(BLOCK) else { return y.iter_mut().zip(x).for_each(|(y, &x)| *y = x) };
    let mut at = 0;
    loop {
        let block: [T; BLOCK] = x[at..at + BLOCK].try_into().expect("it has that length");
        y[at..at + BLOCK].copy_from_slice(&block);
        if at == last {
            break;
        }
        at = (at + BLOCK).min(last);
    }
}

simd! {
    /// Adds columns `[C · kernel_len, positions]` to a deinterleaved image `[C, H, W]`, each element where [`im2col`] reads it: its
    /// adjoint.
    pub(crate) fn col2im[T: Float](windows: &Windows, channels: usize, rows: Range<usize>, columns: &[T], x: &mut [T]) {
        windows.for_each_row(channels, rows, |column, pixel, length| {
            let (x, columns) = (&mut x[pixel..][..length], &columns[column..][..length]);
            x.iter_mut().zip(columns).for_each(|(x, &column)| *x += column);
        });
    }
}
