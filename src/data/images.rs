//! Labeled images, stored as bytes.

use crate::data::Dataset;
use crate::panics::{self, check_option};
use crate::tensor::{Dims, IntoShape, Tensor, element_count, resolve_shape};
use std::fmt::{self, Debug, Formatter};
use std::ops::Bound;

/// Labeled images of equal size.
///
/// Pixels are stored as bytes, in a quarter of the memory of an `f32` tensor, and converted when a batch is gathered:
/// to `pixel / 255`, or as [`normalize`](Images::normalize) specifies.
///
/// ```
/// use wengert::data::Images;
/// use wengert::prelude::*;
///
/// let images = Images::new(vec![0, 51, 102, 255], vec![7, 3], [1, 2]);
/// let batch = images.all();
/// assert_eq!(batch.images, tensor![[0.0, 0.2], [0.4, 1.0]]);
/// assert_eq!(batch.labels, [7, 3]);
/// ```
#[derive(Clone)]
pub struct Images {
    pixels: Vec<u8>,
    labels: Vec<usize>,
    shape: Dims,
    scale: PixelScale,
}

/// The converted value of each byte: of all, or for each channel.
#[derive(Clone)]
pub(super) struct PixelScale(Vec<[f32; 256]>);

impl PixelScale {
    /// `(pixel / 255 − mean) / std` with the numbers of each channel, computed in `f64` and rounded once.
    #[track_caller]
    pub(super) fn new(mean: &[f64], std: &[f64]) -> Self {
        let mut tables = Vec::with_capacity(mean.len());
        for (&mean, &std) in mean.iter().zip(std) {
            check_option("mean", mean, ..);
            check_option("std", std, (Bound::Excluded(0.0), Bound::Unbounded));
            tables.push(std::array::from_fn(|pixel| ((pixel as f64 / 255.0 - mean) / std) as f32));
        }
        PixelScale(tables)
    }

    /// [`PixelScale::new`] for the channels of images `[channels, …]`.
    #[track_caller]
    pub(super) fn of_channels(shape: &[usize], mean: &[f64], std: &[f64]) -> Self {
        if shape.first() != Some(&mean.len()) || mean.len() != std.len() {
            panics::channel_scale(mean.len(), std.len(), shape);
        }
        PixelScale::new(mean, std)
    }

    /// Converts the pixels of an image.
    pub(super) fn convert(&self, pixels: &[u8], y: &mut [f32]) {
        let size = (pixels.len() / self.0.len().max(1)).max(1);
        for ((y, pixels), values) in y.chunks_mut(size).zip(pixels.chunks(size)).zip(&self.0) {
            y.iter_mut().zip(pixels).for_each(|(y, &pixel)| *y = values[usize::from(pixel)]);
        }
    }
}

/// A batch of [`Images`].
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// One image per row: `[n, pixels]`.
    pub images: Tensor,
    /// The class of each image.
    pub labels: Vec<usize>,
}

impl Images {
    /// Concatenated images of a shape such as `[28, 28]`, and the class of each.
    ///
    /// # Panics
    /// If the number of pixels does not match the number of labels and the shape.
    #[track_caller]
    pub fn new(pixels: Vec<u8>, labels: Vec<usize>, shape: impl IntoShape) -> Self {
        let shape = resolve_shape("Images", shape, None);
        if Some(pixels.len()) != element_count(&shape).checked_mul(labels.len()) {
            let expected: Vec<i128> = [labels.len()].iter().chain(&shape).map(|&size| size as i128).collect();
            panics::element_count("Images", &[pixels.len()], &expected, pixels.len());
        }
        Images { pixels, labels, shape, scale: PixelScale::new(&[0.0], &[1.0]) }
    }

    /// Converts pixels to `(pixel / 255 − mean) / std`. With the mean and the standard deviation of the data set, on
    /// the scale from 0 to 1, the inputs have mean 0 and standard deviation 1.
    ///
    /// # Panics
    /// If `std` is not positive, or a number is not finite.
    ///
    /// ```
    /// use wengert::data::Images;
    /// use wengert::prelude::*;
    ///
    /// let images = Images::new(vec![0, 255], vec![0], [1, 2]).normalize(0.5, 0.25);
    /// assert_eq!(images.all().images, tensor![[-2.0, 2.0]]);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn normalize(mut self, mean: f64, std: f64) -> Self {
        self.scale = PixelScale::new(&[mean], &[std]);
        self
    }

    /// [`normalize`](Images::normalize) with numbers for each channel of images `[channels, …]`.
    ///
    /// # Panics
    /// If there are not as many means and standard deviations as channels, or as for `normalize`.
    ///
    /// ```
    /// use wengert::data::Images;
    /// use wengert::prelude::*;
    ///
    /// let images = Images::new(vec![0, 255, 0, 255], vec![0], [2, 1, 2]); // two channels
    /// let images = images.normalize_channels(&[0.0, 0.5], &[1.0, 0.25]);
    /// assert_eq!(images.all().images, tensor![[0.0, 1.0, -2.0, 2.0]]);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn normalize_channels(mut self, mean: &[f64], std: &[f64]) -> Self {
        self.scale = PixelScale::of_channels(&self.shape, mean, std);
        self
    }

    /// The first `n` images, or all if there are fewer.
    #[must_use]
    pub fn take(mut self, n: usize) -> Self {
        self.labels.truncate(n);
        self.pixels.truncate(self.labels.len() * element_count(&self.shape));
        self.labels.shrink_to_fit();
        self.pixels.shrink_to_fit();
        self
    }

    /// The class of each image.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The shape of one image, such as `[28, 28]`.
    pub fn image_shape(&self) -> &[usize] {
        &self.shape
    }
}

impl Dataset for Images {
    type Batch = ImageBatch;

    fn len(&self) -> usize {
        self.labels.len()
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> ImageBatch {
        let size = element_count(&self.shape);
        if let Some(&row) = indices.iter().find(|&&row| row >= self.len()) {
            panics::row_out_of_range(row, &[self.len(), size]);
        }
        let images = Tensor::build(Dims::from_slice(&[indices.len(), size]), |y| {
            for (y, row) in y.chunks_exact_mut(size.max(1)).zip(indices) {
                self.scale.convert(&self.pixels[row * size..(row + 1) * size], y);
            }
        });
        ImageBatch { images, labels: indices.iter().map(|&row| self.labels[row]).collect() }
    }
}

impl Debug for Images {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Images").field("len", &self.len()).field("shape", &self.shape).finish_non_exhaustive()
    }
}
