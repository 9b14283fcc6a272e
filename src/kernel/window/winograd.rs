//! Convolution with 3 × 3 kernels and stride 1 in 2.25 times fewer multiplications: the minimal filtering algorithm F(2 × 2, 3 × 3)
//! of Winograd (Lavin and Gray, Fast algorithms for convolutional neural networks, 2016).
//!
//! A tile of 2 × 2 outputs is `Aᵀ [Σ (G w Gᵀ) ⊙ (Bᵀ x B)] A`, where w is a kernel, x the 4 × 4 inputs that the tile depends on, and
//! the sum is over input channels. Each of the 16 elements of the transformed tiles makes a matrix product `[tiles, inputs] ·
//! [inputs, outputs]`. The derivative with respect to x is the same for kernels that are rotated by half a turn; that with
//! respect to w is `Gᵀ [Σ (Bᵀ x B) ⊙ (A y Aᵀ)] G`, the sum over tiles. The factors in the transforms are 0, ±1 and ½, so that the
//! rounding errors are about those of a sum of 9 products.
//!
//! Channels lie side by side in a transformed tile, so the transforms work on whole vectors.

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::for_each_chunk;
use crate::kernel::matmul::gemm::{MIN_FMAS_PER_THREAD, gemm};
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::window::Windows;
use std::ops::{Add, Neg, Range, Sub};

/// Channels that are transformed together.
const LANES: usize = 16;
/// Elements of a transformed tile: its products with those of a kernel are what Winograd's algorithm multiplies.
const ELEMENTS: usize = 16;
/// Elements of transformed tiles that a block of the work has at least, about what the second-level cache holds.
const BLOCK_ELEMENTS: usize = 1 << 16;
/// Tiles of a block at least, for products that are long enough.
const MIN_TILES: usize = 128;
/// Tiles of all images from which on fewer multiplications outweigh the transforms of the kernels.
const MIN_TILES_OF_IMAGES: usize = 32;

/// One element of a tile in [`LANES`] channels.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<T>([T; LANES]);

impl<T: Float> Add for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] += other.0[lane];
        }
        self
    }
}

impl<T: Float> Sub for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] -= other.0[lane];
        }
        self
    }
}

impl<T: Float> Neg for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(mut self) -> Self {
        for lane in 0..LANES {
            self.0[lane] = -self.0[lane];
        }
        self
    }
}

impl<T: Float> Lanes<T> {
    #[inline(always)]
    fn half(mut self) -> Self {
        for lane in 0..LANES {
            self.0[lane] *= T::from_f64(0.5);
        }
        self
    }
}

/// `Bᵀ x`.
#[inline(always)]
fn input<T: Float>([x0, x1, x2, x3]: [Lanes<T>; 4]) -> [Lanes<T>; 4] {
    [x0 - x2, x1 + x2, x2 - x1, x1 - x3]
}

/// `Aᵀ m`.
#[inline(always)]
fn output<T: Float>([m0, m1, m2, m3]: [Lanes<T>; 4]) -> [Lanes<T>; 2] {
    [m0 + m1 + m2, m1 - m2 - m3]
}

/// `A y`.
#[inline(always)]
fn output_adjoint<T: Float>([y0, y1]: [Lanes<T>; 2]) -> [Lanes<T>; 4] {
    [y0, y0 + y1, y0 - y1, -y1]
}

/// `G w`.
#[inline(always)]
fn kernel<T: Float>([w0, w1, w2]: [Lanes<T>; 3]) -> [Lanes<T>; 4] {
    let outer = w0 + w2;
    [w0, (outer + w1).half(), (outer - w1).half(), w2]
}

/// `Gᵀ u`.
#[inline(always)]
fn kernel_adjoint<T: Float>([u0, u1, u2, u3]: [Lanes<T>; 4]) -> [Lanes<T>; 3] {
    let sum = (u1 + u2).half();
    [u0 + sum, (u1 - u2).half(), sum + u3]
}

/// `F X Fᵀ` for the matrix with elements `x(row, column)`, each of which is read once: the compiler puts a whole matrix on the stack.
#[expect(
    clippy::needless_range_loop,
    reason = "iterators are inlined only by link-time optimization, which a program may turn off"
)]
#[inline(always)]
fn both<T: Float, const N: usize, const M: usize>(
    x: impl Fn(usize, usize) -> Lanes<T>,
    f: impl Fn([Lanes<T>; N]) -> [Lanes<T>; M],
) -> [[Lanes<T>; M]; M] {
    let mut rows = [[Lanes([T::ZERO; LANES]); N]; M];
    for column in 0..N {
        let mut elements = [Lanes([T::ZERO; LANES]); N];
        for row in 0..N {
            elements[row] = x(row, column);
        }
        let elements = f(elements);
        for row in 0..M {
            rows[row][column] = elements[row];
        }
    }
    rows.map(f)
}

/// The distance between matrices of the given number of elements: one vector more, since equal lines of the matrices would otherwise
/// compete for the same set of the first-level cache.
fn spaced(elements: usize) -> usize {
    elements + LANES
}

/// Images `[channels, height, width]` that are cut into tiles.
#[derive(Clone, Copy)]
pub(crate) struct Tiling {
    channels: usize,
    size: [usize; 2],
    padding: [usize; 2],
    /// Tiles along both axes.
    tiles: [usize; 2],
}

impl Tiling {
    fn image_len(&self) -> usize {
        self.channels * self.size[0] * self.size[1]
    }

    /// The part of each image in the given rows of tiles, which are numbered through all images: the image, and its rows.
    fn images(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let height = self.tiles[0];
        (rows.start / height..rows.end.div_ceil(height)).map(move |image| {
            let first = image * height;
            (image, rows.start.max(first) - first..rows.end.min(first + height) - first)
        })
    }
}

/// A convolution and how its work is divided.
#[derive(Clone, Copy)]
pub(crate) struct Winograd {
    x: Tiling,
    y: Tiling,
}

impl Winograd {
    /// The algorithm for a convolution of one group of channels, if it pays for these windows, channels and images.
    pub(crate) fn new(windows: &Windows, [inputs, outputs]: [usize; 2], images: usize) -> Option<Self> {
        let Windows { input, output, kernel, stride, padding, dilation } = *windows;
        let channels = [inputs, outputs].iter().all(|&count| count > 0 && count.is_multiple_of(LANES));
        let geometry = kernel == [3, 3] && stride == [1, 1] && dilation == [1, 1] && padding.iter().all(|&p| p <= 2);
        let tiles = output.map(|size| size.div_ceil(2));
        let sizes =
            output.iter().chain(&input).all(|&size| size > 1) && images * tiles[0] * tiles[1] >= MIN_TILES_OF_IMAGES;
        (channels && geometry && sizes).then_some(Winograd {
            x: Tiling { channels: inputs, size: input, padding, tiles },
            y: Tiling { channels: outputs, size: output, padding: [0, 0], tiles },
        })
    }

    /// The convolution with kernels that are rotated by half a turn: the derivative with respect to the input.
    fn rotated(&self) -> Self {
        let tiles = self.x.size.map(|size| size.div_ceil(2));
        let padding = self.x.padding.map(|padding| 2 - padding);
        Winograd { x: Tiling { padding, tiles, ..self.y }, y: Tiling { padding: [0, 0], tiles, ..self.x } }
    }

    /// Rows of tiles in a block of the work.
    fn rows(&self) -> usize {
        let tiles = BLOCK_ELEMENTS / (ELEMENTS * (self.x.channels + self.y.channels));
        tiles.max(MIN_TILES).div_ceil(self.x.tiles[1])
    }

    /// Images whose rows of tiles are a block of the work or more.
    fn images(&self) -> usize {
        self.rows().div_ceil(self.x.tiles[0])
    }

    /// Elements of a transformed kernel over all channels.
    fn kernels_len(&self) -> usize {
        ELEMENTS * self.x.channels * self.y.channels
    }

    /// Calls `f` with the rows of tiles of each block, with space for its transformed tiles of x and y, and with more space.
    fn for_each_block<T: Float>(
        &self,
        images: usize,
        mut f: impl FnMut(Range<usize>, &mut [T], &mut [T], &mut [[T; LANES]]),
    ) {
        let ([height, across], rows) = (self.x.tiles, self.rows());
        let length = |tiles: usize, tiling: &Tiling| ELEMENTS * spaced(tiles * tiling.channels);
        let [x_len, y_len] = [&self.x, &self.y].map(|tiling| length(rows * across, tiling));
        let strip = (2 * rows + 2) * self.x.size[1].max(self.y.size[1]) + 4 * (2 * across + 2);
        with_scratch(x_len + y_len + strip * LANES, |scratch| {
            let (x, scratch) = scratch.split_at_mut(x_len);
            let (y, scratch) = scratch.split_at_mut(y_len);
            let (scratch, _) = scratch.as_chunks_mut();
            for first in (0..images * height).step_by(rows) {
                let rows = first..(images * height).min(first + rows);
                let [x_len, y_len] = [&self.x, &self.y].map(|tiling| length(rows.len() * across, tiling));
                f(rows, &mut x[..x_len], &mut y[..y_len], scratch);
            }
        });
    }

    /// Calls `f` for each element of transformed tiles, with its matrix of products with `count` tiles; in parallel if they are large.
    fn for_each_element<T: Float>(&self, count: usize, y: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        // Larger than in a batch of other matrices, where handing them over pays: these tiles are in the cache of this thread.
        let large = count * self.x.channels * self.y.channels >= MIN_FMAS_PER_THREAD;
        if !large {
            return y.chunks_exact_mut(size).enumerate().for_each(|(k, y)| f(k, y));
        }
        for_each_chunk(y, size, f);
    }

    /// [`conv::convolve`](crate::kernel::window::conv::convolve) for 3 × 3 kernels.
    pub(crate) fn convolve<T: Float>(&self, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        let (inputs, outputs) = (self.x.channels, self.y.channels);
        with_scratch(self.kernels_len(), |u| {
            with_scratch(weight.len(), |taps| {
                T::transpose(outputs, inputs * 9, weight, inputs * 9, taps, outputs);
                transform_kernels(taps, outputs, false, u);
            });
            self.products(x, u, bias, y);
        });
    }

    /// [`conv::transpose`](crate::kernel::window::conv::transpose) for 3 × 3 kernels.
    pub(crate) fn transpose<T: Float>(&self, y: &[T], weight: &[T], bias: Option<&[T]>, x: &mut [T]) {
        let inputs = self.x.channels;
        with_scratch(self.kernels_len(), |u| {
            with_scratch(weight.len(), |taps| {
                for (taps, weight) in taps.chunks_exact_mut(9 * inputs).zip(weight.chunks_exact(9 * inputs)) {
                    T::transpose(inputs, 9, weight, 9, taps, inputs);
                }
                transform_kernels(taps, inputs, true, u);
            });
            self.rotated().products(y, u, bias, x);
        });
    }

    /// The convolution with transformed kernels.
    fn products<T: Float>(&self, x: &[T], u: &[T], bias: Option<&[T]>, y: &mut [T]) {
        let (inputs, outputs) = (self.x.channels, self.y.channels);
        let (unit, image) = (self.images(), self.y.image_len());
        for_each_chunk(y, unit * image, |chunk, y| {
            let x = &x[chunk * unit * self.x.image_len()..];
            self.for_each_block(y.len() / image, |rows, tiles, sums, scratch| {
                transform_tiles(&self.x, rows.clone(), x, tiles, scratch, input);
                let count = rows.len() * self.x.tiles[1];
                self.for_each_element(count, sums, spaced(count * outputs), |k, sums| {
                    let tiles = &tiles[k * spaced(count * inputs)..][..count * inputs];
                    let u = &u[k * inputs * outputs..][..inputs * outputs];
                    let (tiles, u) = (Matrix::new(tiles, count, inputs, false), Matrix::new(u, inputs, outputs, false));
                    gemm(tiles, u, Accum::Replace, &mut sums[..count * outputs]);
                });
                transform_sums(&self.y, rows, sums, bias, scratch, y);
            });
        });
    }

    /// [`conv::weight_gradient`](crate::kernel::window::conv::weight_gradient) for 3 × 3 kernels, of some images.
    pub(crate) fn weight_gradient<T: Float>(&self, x: &[T], y: &[T], weight: &mut [T]) {
        let (inputs, outputs) = (self.x.channels, self.y.channels);
        with_scratch(self.kernels_len(), |u| {
            u.fill(T::ZERO);
            self.for_each_block(y.len() / self.y.image_len(), |rows, x_tiles, y_tiles, scratch| {
                transform_tiles(&self.x, rows.clone(), x, x_tiles, scratch, input);
                transform_tiles(&self.y, rows.clone(), y, y_tiles, scratch, output_adjoint);
                let count = rows.len() * self.x.tiles[1];
                self.for_each_element(count, u, inputs * outputs, |k, u| {
                    let x = &x_tiles[k * spaced(count * inputs)..][..count * inputs];
                    let y = &y_tiles[k * spaced(count * outputs)..][..count * outputs];
                    let (x, y) = (Matrix::new(x, inputs, count, true), Matrix::new(y, count, outputs, false));
                    gemm(x, y, Accum::Add, u);
                });
            });
            with_scratch(weight.len(), |taps| {
                transform_kernel_gradients(u, outputs, taps);
                T::transpose(inputs * 9, outputs, taps, outputs, weight, inputs * 9);
            });
        });
    }
}

simd! {
    /// `G w Gᵀ` of kernels `[inputs, 9, outputs]`, optionally rotated by half a turn, as `[16, inputs, outputs]`.
    pub(crate) fn transform_kernels[T: Float](taps: &[T], outputs: usize, rotated: bool, u: &mut [T]) {
        let (groups, size) = (outputs / LANES, u.len() / ELEMENTS / LANES);
        let ((taps, _), (u, _)) = (taps.as_chunks::<LANES>(), u.as_chunks_mut::<LANES>());
        for at in 0..size {
            let (row, group) = (at / groups, at % groups);
            let tap = |k: usize| if rotated { 8 - k } else { k };
            let w = |i, j| Lanes(taps[(row * 9 + tap(3 * i + j)) * groups + group]);
            let transformed = both(w, kernel);
            for k in 0..ELEMENTS {
                u[k * size + at] = transformed[k / 4][k % 4].0;
            }
        }
    }
}

simd! {
    /// `Gᵀ u G` of `[16, inputs, outputs]` as kernels `[inputs, 9, outputs]`.
    pub(crate) fn transform_kernel_gradients[T: Float](u: &[T], outputs: usize, taps: &mut [T]) {
        let (groups, size) = (outputs / LANES, u.len() / ELEMENTS / LANES);
        let ((u, _), (taps, _)) = (u.as_chunks::<LANES>(), taps.as_chunks_mut::<LANES>());
        for at in 0..size {
            let (row, group) = (at / groups, at % groups);
            let w = both(|i, j| Lanes(u[(4 * i + j) * size + at]), kernel_adjoint);
            for tap in 0..9 {
                taps[(row * 9 + tap) * groups + group] = w[tap / 3][tap % 3].0;
            }
        }
    }
}

simd! {
    /// `F x Fᵀ` of tiles of N × N elements that are 2 apart, as 16 [`spaced`] matrices `[tiles, channels]`.
    pub(crate) fn transform_tiles[T: Float, const N: usize, F: Fn([Lanes<T>; N]) -> [Lanes<T>; 4]](
        tiling: &Tiling,
        rows: Range<usize>,
        x: &[T],
        tiles: &mut [T],
        scratch: &mut [[T; LANES]],
        f: F,
    ) {
        let (groups, [height, width], across) = (tiling.channels / LANES, tiling.size, tiling.tiles[1]);
        let (step, line) = (spaced(rows.len() * across * tiling.channels) / LANES, 2 * across + N - 2);
        let (tiles, _) = tiles.as_chunks_mut::<LANES>();
        let (lines, strip) = scratch.split_at_mut(4 * line);
        // The padding on both sides of a line stays zero.
        lines.fill([T::ZERO; LANES]);
        let mut tile = 0;
        for (image, rows) in tiling.images(rows) {
            for group in 0..groups {
                let plane = (image * tiling.channels + group * LANES) * height * width;
                let strip = gather(tiling, &x[plane..], 2 * rows.start, 2 * rows.len() + N - 2, strip);
                for row in 0..rows.len() {
                    for column in 0..width {
                        let mut elements = [Lanes([T::ZERO; LANES]); N];
                        for k in 0..N {
                            elements[k] = Lanes(strip[(2 * row + k) * width + column]);
                        }
                        let elements = f(elements);
                        for k in 0..4 {
                            lines[k * line + tiling.padding[1] + column] = elements[k].0;
                        }
                    }
                    for column in 0..across {
                        let at = (tile + row * across + column) * groups + group;
                        for k in 0..4 {
                            let mut elements = [Lanes([T::ZERO; LANES]); N];
                            for l in 0..N {
                                elements[l] = Lanes(lines[k * line + 2 * column + l]);
                            }
                            let elements = f(elements);
                            for l in 0..4 {
                                tiles[(4 * k + l) * step + at] = elements[l].0;
                            }
                        }
                    }
                }
            }
            tile += rows.len() * across;
        }
    }
}

/// Some rows of the padded image in [`LANES`] channels, as `[rows, width]`.
#[inline(always)]
fn gather<'a, T: Float>(
    tiling: &Tiling,
    x: &[T],
    top: usize,
    rows: usize,
    strip: &'a mut [[T; LANES]],
) -> &'a [[T; LANES]] {
    let ([height, width], padding) = (tiling.size, tiling.padding[0]);
    let first = padding.saturating_sub(top).min(rows);
    let end = (height + padding - top).clamp(first, rows);
    let strip = &mut strip[..rows * width];
    strip[..first * width].fill([T::ZERO; LANES]);
    strip[end * width..].fill([T::ZERO; LANES]);
    let inside = strip[first * width..end * width].as_flattened_mut();
    let x = &x[(top + first - padding) * width..];
    T::transpose(LANES, (end - first) * width, x, height * width, inside, LANES);
    strip
}

simd! {
    /// `Aᵀ m A` of 16 [`spaced`] matrices `[tiles, channels]`, plus a bias, in some rows of tiles of the output.
    pub(crate) fn transform_sums[T: Float](
        tiling: &Tiling,
        rows: Range<usize>,
        sums: &[T],
        bias: Option<&[T]>,
        scratch: &mut [[T; LANES]],
        y: &mut [T],
    ) {
        let (groups, [height, width], across) = (tiling.channels / LANES, tiling.size, tiling.tiles[1]);
        let (step, size) = (spaced(rows.len() * across * tiling.channels) / LANES, height * width);
        let ((sums, _), mut tile) = (sums.as_chunks::<LANES>(), 0);
        let (lines, strip) = scratch.split_at_mut(8 * across);
        for (image, rows) in tiling.images(rows) {
            for group in 0..groups {
                let mut start = Lanes([T::ZERO; LANES]);
                if let Some(bias) = bias {
                    start.0.copy_from_slice(&bias[group * LANES..][..LANES]);
                }
                for row in 0..rows.len() {
                    for k in 0..4 {
                        for column in 0..across {
                            let at = (tile + row * across + column) * groups + group;
                            let mut elements = [start; 4];
                            for l in 0..4 {
                                elements[l] = Lanes(sums[(4 * l + k) * step + at]);
                            }
                            let elements = output(elements);
                            for l in 0..2 {
                                lines[(4 * l + k) * across + column] = elements[l].0;
                            }
                        }
                    }
                    for half in 0..2 {
                        for column in 0..across {
                            let mut elements = [start; 4];
                            for k in 0..4 {
                                elements[k] = Lanes(lines[(4 * half + k) * across + column]);
                            }
                            let [left, right] = output(elements);
                            let at = (2 * row + half) * width + 2 * column;
                            strip[at] = (left + start).0;
                            if 2 * column + 1 < width {
                                strip[at + 1] = (right + start).0;
                            }
                        }
                    }
                }
                let pixels = (2 * rows.len()).min(height - 2 * rows.start) * width;
                let first = (image * tiling.channels + group * LANES) * size + 2 * rows.start * width;
                T::transpose(pixels, LANES, strip.as_flattened(), LANES, &mut y[first..], size);
            }
            tile += rows.len() * across;
        }
    }
}
