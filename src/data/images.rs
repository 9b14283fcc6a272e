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
    /// The converted value of each byte.
    values: [f32; 256],
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
        Images { pixels, labels, shape, values: values(0.0, 1.0) }
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
        check_option("mean", mean, ..);
        check_option("std", std, (Bound::Excluded(0.0), Bound::Unbounded));
        self.values = values(mean, std);
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
                let pixels = &self.pixels[row * size..(row + 1) * size];
                y.iter_mut().zip(pixels).for_each(|(y, &pixel)| *y = self.values[usize::from(pixel)]);
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

/// `(pixel / 255 − mean) / std` for every byte, computed in `f64` and rounded once.
fn values(mean: f64, std: f64) -> [f32; 256] {
    std::array::from_fn(|pixel| ((pixel as f64 / 255.0 - mean) / std) as f32)
}
