//! Windows that slide over images: where they lie, and copies between images and the columns of their windows.

pub(crate) mod conv;
pub(crate) mod pool;

use crate::kernel::Float;
use std::ops::Range;

/// How windows slide along the last two axes of images. What slides along one axis is given a first axis of size 1.
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
    pub(crate) fn pixels(&self) -> usize {
        self.input.iter().product()
    }

    /// Windows on an image.
    pub(crate) fn places(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of a window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Whether there are windows of two by two that lie one beside the other, and none stands out: those that halve an image.
    pub(crate) fn halve(&self) -> bool {
        let inside = (0..2).all(|axis| (1..=self.input[axis] / 2).contains(&self.output[axis]));
        inside && self.kernel == [2, 2] && self.stride == [2, 2] && self.padding == [0, 0] && self.dilation == [1, 1]
    }

    /// Of a tap: the windows in which it lies on the image rather than on the padding, and where it does in the first of them.
    pub(crate) fn windows_of(&self, axis: usize, tap: usize) -> (Range<usize>, usize) {
        self.overlap(axis, self.stride[axis], tap * self.dilation[axis], self.output[axis])
    }

    /// Of a window: the taps that lie on the image rather than on the padding, and where the first of them does.
    pub(crate) fn taps_of(&self, axis: usize, window: usize) -> (Range<usize>, usize) {
        self.overlap(axis, self.dilation[axis], window * self.stride[axis], self.kernel[axis])
    }

    /// Those of `count` points, `step` apart and the first at `offset` from the start of the padding, that lie on the image.
    fn overlap(&self, axis: usize, step: usize, offset: usize, count: usize) -> (Range<usize>, usize) {
        let (size, padding) = (self.input[axis], self.padding[axis]);
        let first = padding.saturating_sub(offset).div_ceil(step).min(count);
        let end = (size + padding).saturating_sub(offset).div_ceil(step).min(count).max(first);
        (first..end, (first * step + offset).saturating_sub(padding))
    }

    /// Calls `f` for each channel, tap and row of windows in which the tap lies on the image: where the row begins in the
    /// columns, where the pixels under the tap do on the images, and how many there are.
    #[inline(always)]
    fn for_each_row(&self, channels: usize, mut f: impl FnMut(usize, usize, usize)) {
        let ([_, width], [_, places]) = (self.input, self.output);
        for tap in 0..self.taps() {
            let (down, top) = self.windows_of(0, tap / self.kernel[1]);
            let (across, left) = self.windows_of(1, tap % self.kernel[1]);
            let rows = if across.is_empty() { 0 } else { down.len() };
            for channel in 0..channels {
                let column = (channel * self.taps() + tap) * self.places() + down.start * places + across.start;
                let pixel = channel * self.pixels() + top * width + left;
                for row in 0..rows {
                    f(column + row * places, pixel + row * self.stride[0] * width, across.len());
                }
            }
        }
    }
}

simd! {
    /// The windows of an image `[C, H, W]` as columns `[C · taps, places]`; 0 where they lie on padding.
    pub(crate) fn im2col[T: Float](windows: &Windows, channels: usize, x: &[T], columns: &mut [T]) {
        let across = windows.stride[1];
        if windows.padding != [0, 0] {
            columns.fill(T::ZERO);
        }
        windows.for_each_row(channels, |column, pixel, length| {
            let (x, y) = (&x[pixel..], &mut columns[column..][..length]);
            match across {
                1 => copy(&x[..length], y),
                _ => y.iter_mut().zip(x.iter().step_by(across)).for_each(|(y, &x)| *y = x),
            }
        });
    }
}

/// Copies a few elements, for which the call of a function takes longer than the copy. The last block overlaps the one before it.
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
    /// Adds columns `[C · taps, places]` to the places of an image `[C, H, W]` that they are the windows of: the adjoint of [`im2col`].
    pub(crate) fn col2im[T: Float](windows: &Windows, channels: usize, columns: &[T], x: &mut [T]) {
        let across = windows.stride[1];
        windows.for_each_row(channels, |column, pixel, length| {
            let (x, y) = (&mut x[pixel..], &columns[column..][..length]);
            match across {
                1 => x[..length].iter_mut().zip(y).for_each(|(x, &y)| *x += y),
                _ => x.iter_mut().step_by(across).zip(y).for_each(|(x, &y)| *x += y),
            }
        });
    }
}
