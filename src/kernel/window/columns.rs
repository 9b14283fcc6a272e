//! Convolution by columns: the windows of one image at a time become the columns of a matrix (im2col), which stays in the
//! second-level cache; the rest is a matrix product.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::matmul::gemm::gemm;
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::window::conv::Convolution;
use crate::kernel::window::{Windows, copy};
use std::ops::Range;

/// Elements of columns at a time, which stay in the second-level cache.
const BLOCK_ELEMENTS: usize = 1 << 15;

impl Convolution {
    /// Calls `f` for blocks of rows of windows, with space for their columns and for as many positions in each output channel.
    ///
    /// The columns stay in the second-level cache, unless the weight does not either.
    fn for_each_block<T: Float>(&self, mut f: impl FnMut(Range<usize>, &mut [T], &mut [T])) {
        let [height, width] = self.windows.output;
        let (row, channels) = (self.window_len() * width, self.outputs);
        let rows = (BLOCK_ELEMENTS.max(self.weight_len()) / row.max(1)).clamp(1, height.max(1));
        with_scratch((row + channels * width) * rows, |scratch| {
            for first in (0..height).step_by(rows) {
                let rows = first..height.min(first + rows);
                let (columns, y) = scratch.split_at_mut(row * rows.len());
                f(rows.clone(), columns, &mut y[..channels * width * rows.len()]);
            }
        });
    }

    /// Copies some rows of each output channel.
    fn copy_rows<T: Float>(&self, rows: &Range<usize>, y: &[T], block: &mut [T]) {
        let range = rows.start * self.windows.output[1]..rows.end * self.windows.output[1];
        let channels = y.chunks_exact(self.windows.output_len().max(1));
        let block = block.chunks_exact_mut(range.len().max(1));
        channels.zip(block).for_each(|(y, block)| block.copy_from_slice(&y[range.clone()]));
    }

    /// Adds the convolution of one group of an image.
    pub(super) fn add_columns<T: Float>(&self, x: &[T], weight: &[T], y: &mut [T]) {
        let (window_len, [_, width]) = (self.window_len(), self.windows.output);
        let weight = Matrix::new(weight, self.outputs, window_len, false);
        with_deinterleaved(&self.windows, x, |x| {
            self.for_each_block(|rows, columns, sums| {
                let positions = rows.len() * width;
                im2col(&self.windows, self.inputs, rows.clone(), x, columns);
                gemm(weight, Matrix::new(columns, window_len, positions, false), Accum::Replace, sums);
                let channels = y.chunks_exact_mut(self.windows.output_len().max(1));
                for (y, sums) in channels.zip(sums.chunks_exact(positions.max(1))) {
                    y[rows.start * width..][..positions].iter_mut().zip(sums).for_each(|(y, &sum)| *y += sum);
                }
            });
        });
    }

    /// The adjoint with respect to x of one group of an image, added to what `start` writes.
    pub(super) fn transpose_columns<T: Float>(&self, y: &[T], weight: &[T], start: impl FnOnce(&mut [T]), x: &mut [T]) {
        let weight = Matrix::new(weight, self.window_len(), self.outputs, true);
        interleaved(&self.windows, x, |x| {
            start(x);
            self.for_each_block(|rows, columns, block| {
                let positions = rows.len() * self.windows.output[1];
                self.copy_rows(&rows, y, block);
                gemm(weight, Matrix::new(block, self.outputs, positions, false), Accum::Replace, columns);
                col2im(&self.windows, self.inputs, rows, columns, x);
            });
        });
    }

    /// Adds the adjoint with respect to the weight of one group of an image.
    pub(super) fn add_column_products<T: Float>(&self, x: &[T], y: &[T], weight: &mut [T]) {
        with_deinterleaved(&self.windows, x, |x| {
            self.for_each_block(|rows, columns, block| {
                let positions = rows.len() * self.windows.output[1];
                self.copy_rows(&rows, y, block);
                im2col(&self.windows, self.inputs, rows, x, columns);
                let columns = Matrix::new(columns, self.window_len(), positions, false);
                gemm(Matrix::new(block, self.outputs, positions, false), columns.transposed(), Accum::Add, weight);
            });
        });
    }
}

impl Windows {
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
