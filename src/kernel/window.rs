//! Windows that slide over images: where they lie, and copies between images and the columns of their windows.

use super::Float;
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

    /// Calls `f` for each run of neighbouring windows and the pixels under one of their taps: where the run begins in the
    /// columns, where on the images, and its length. On the images its steps are those of the windows.
    #[inline(always)]
    fn for_each_run(&self, channels: usize, mut f: impl FnMut(usize, usize, usize)) {
        for tap in 0..self.taps() {
            let (down, top) = self.windows_of(0, tap / self.kernel[1]);
            let (across, left) = self.windows_of(1, tap % self.kernel[1]);
            for channel in 0..channels {
                let first = (channel * self.taps() + tap) * self.output[0];
                for (k, y) in down.clone().enumerate() {
                    let line = channel * self.input[0] + top + k * self.stride[0];
                    f((first + y) * self.output[1] + across.start, line * self.input[1] + left, across.len());
                }
            }
        }
    }
}

/// The windows of an image `[C, H, W]` as columns `[C · taps, places]`; 0 where they lie on padding.
pub(crate) fn im2col<T: Float>(windows: &Windows, channels: usize, x: &[T], columns: &mut [T]) {
    let step = windows.stride[1];
    if windows.padding != [0, 0] {
        columns.fill(T::ZERO);
    }
    windows.for_each_run(channels, |column, pixel, length| {
        let column = &mut columns[column..column + length];
        match step {
            1 => column.copy_from_slice(&x[pixel..pixel + length]),
            _ => column.iter_mut().zip(x[pixel..].iter().step_by(step)).for_each(|(y, &x)| *y = x),
        }
    });
}

simd! {
    /// Adds columns `[C · taps, places]` to the places of an image `[C, H, W]` that they are the windows of: the adjoint of [`im2col`].
    pub(crate) fn col2im[T: Float](windows: &Windows, channels: usize, columns: &[T], x: &mut [T]) {
        let step = windows.stride[1];
        windows.for_each_run(channels, |column, pixel, length| {
            let column = &columns[column..column + length];
            match step {
                1 => x[pixel..pixel + length].iter_mut().zip(column).for_each(|(x, &y)| *x += y),
                _ => x[pixel..].iter_mut().step_by(step).zip(column).for_each(|(x, &y)| *x += y),
            }
        });
    }
}
