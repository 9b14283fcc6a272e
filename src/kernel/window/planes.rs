//! Channels split into padded planes, on which the windows of a convolution are consecutive.
//!
//! A padded copy of a channel is split into planes by the remainders of its positions modulo the strides. Then the windows are
//! numbered along the rows of a plane, and what a kernel element is multiplied by are consecutive elements of one plane. Windows
//! that would begin past the end of a row are computed too, and left out at the end.

use crate::kernel::Float;
use crate::kernel::window::{Windows, add_strided, copy, copy_strided};
use std::ops::Range;

/// Elements that are computed together, in registers.
pub(super) const BLOCK: usize = 32;
/// Elements of all planes for each element and each window of an image, at most.
const MAX_PADDED: usize = 64;

/// A kernel element and the offset at which it is multiplied.
#[derive(Clone, Copy)]
pub(crate) struct Tap {
    pub(super) element: usize,
    pub(super) offset: usize,
}

/// Elements of a channel that are consecutive in a plane, though on the channel they may be a stride apart.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pixel: usize,
    start: usize,
    length: usize,
}

/// The layout of channels that are padded and split for the windows of a convolution.
pub(crate) struct Planes {
    pub(super) windows: Windows,
    /// The columns of a plane.
    width: usize,
    /// Elements of a plane, in whole blocks.
    pub(super) size: usize,
    runs: Vec<Run>,
    /// All kernel elements, with their offsets in all planes.
    pub(super) taps: Vec<Tap>,
    /// The kernel elements on each plane, with the offsets of the adjoint in the windows.
    pub(super) adjoint: Vec<Vec<Tap>>,
    /// The largest offset in a plane: zeros before the first window that the adjoint reads.
    pub(super) margin: usize,
}

impl Planes {
    /// The layout for windows of an image, if there are both, and the padding does not take much more than they do.
    pub(super) fn new(windows: &Windows) -> Option<Self> {
        let Windows { input, output, kernel, padding, dilation, .. } = *windows;
        // A single window makes no steps.
        let stride = [0, 1].map(|axis| if output[axis] == 1 { 1 } else { windows.stride[axis] });
        let [height, width] = [0, 1].map(|axis| (input[axis] + 2 * padding[axis]).div_ceil(stride[axis]));
        let size = height.checked_mul(width)?.next_multiple_of(BLOCK);
        let used = windows.input_len() + windows.output_len();
        if windows.input_len() == 0
            || windows.output_len() == 0
            || size.checked_mul(stride[0] * stride[1])? > MAX_PADDED * used
        {
            return None;
        }
        // The plane and the place in it.
        let split = |row: usize, column: usize| {
            (row % stride[0] * stride[1] + column % stride[1], row / stride[0] * width + column / stride[1])
        };
        let elements = 0..windows.kernel_len();
        let place = |k: usize| split(k / kernel[1] * dilation[0], k % kernel[1] * dilation[1]);
        let taps = elements.clone().map(|k| Tap { element: k, offset: place(k).0 * size + place(k).1 }).collect();
        let margin = elements.clone().map(|k| place(k).1).max().unwrap_or(0);
        let on = |plane| elements.clone().filter(move |&k| place(k).0 == plane);
        let adjoint = (0..stride[0] * stride[1])
            .map(|plane| on(plane).map(|k| Tap { element: k, offset: margin - place(k).1 }).collect())
            .collect();
        let run = |row: usize, column: usize| {
            let (plane, at) = split(row + padding[0], column + padding[1]);
            let length = (input[1] - column).div_ceil(stride[1]);
            Run { pixel: row * input[1] + column, start: plane * size + at, length }
        };
        let starts = stride[1].min(input[1]);
        let runs = (0..input[0] * starts).map(|k| run(k / starts, k % starts)).collect();
        let windows = Windows { stride, ..*windows };
        Some(Planes { windows, width, size, runs, taps, adjoint, margin })
    }

    /// Elements of all planes, and as many more as the last block may read.
    pub(super) fn input_len(&self) -> usize {
        self.adjoint.len() * self.size + BLOCK
    }

    /// Windows, including those past the end of a row.
    pub(super) fn window_count(&self) -> usize {
        let [rows, columns] = self.windows.output;
        (rows - 1) * self.width + columns
    }

    /// The same, in whole blocks.
    pub(super) fn output_len(&self) -> usize {
        self.window_count().next_multiple_of(BLOCK)
    }

    /// The same, with zeros on both sides that the adjoint reads.
    pub(super) fn spread_len(&self) -> usize {
        self.margin + self.size.max(self.output_len())
    }

    /// The part of the first plane that is on the image, from its first to its last element there.
    pub(super) fn image_range(&self) -> Range<usize> {
        let runs = self.runs.iter().filter(|run| run.start < self.size);
        let range =
            runs.map(|run| run.start..run.start + run.length).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
        range.unwrap_or(0..0)
    }
}

simd! {
    /// Copies a channel to planes, with zeros around it.
    pub(crate) fn pad[T: Float](planes: &Planes, x: &[T], padded: &mut [T]) {
        let step = planes.windows.stride[1];
        padded.fill(T::ZERO);
        for run in &planes.runs {
            copy_strided(&x[run.pixel..], step, &mut padded[run.start..][..run.length]);
        }
    }
}

simd! {
    /// Adds what is in the planes to a channel: the adjoint of [`pad`].
    pub(crate) fn crop[T: Float](planes: &Planes, padded: &[T], x: &mut [T]) {
        let step = planes.windows.stride[1];
        for run in &planes.runs {
            add_strided(&padded[run.start..][..run.length], &mut x[run.pixel..], step);
        }
    }
}

simd! {
    /// Adds the windows that begin within a row to those of `y`.
    pub(crate) fn gather[T: Float](planes: &Planes, windows: &[T], y: &mut [T]) {
        for (y, windows) in y.chunks_exact_mut(planes.windows.output[1]).zip(windows.chunks(planes.width)) {
            y.iter_mut().zip(windows).for_each(|(y, &x)| *y += x);
        }
    }
}

simd! {
    /// Windows `y` with zeros for those that begin past the end of a row, and zeros on both sides.
    pub(crate) fn spread[T: Float](planes: &Planes, y: &[T], windows: &mut [T]) {
        let width = planes.windows.output[1];
        windows.fill(T::ZERO);
        for (y, windows) in y.chunks_exact(width).zip(windows[planes.margin..].chunks_mut(planes.width)) {
            copy(y, &mut windows[..width]);
        }
    }
}
