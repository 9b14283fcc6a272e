//! Sliding windows: their geometry, convolution and pooling.

pub(crate) mod columns;
pub(crate) mod conv;
mod dense;
pub(crate) mod depthwise;
pub(crate) mod planes;
pub(crate) mod pool;
pub(crate) mod winograd;

use crate::kernel::Float;
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
