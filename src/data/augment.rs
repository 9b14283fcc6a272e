//! Random changes of images, for more varied training data.

use crate::generator::Generator;
use crate::kernel::base::threads::for_each_chunk;
use crate::panics::{self, check_option};
use crate::tensor::{Dims, IntoShape, Tensor, element_count, resolve_shape};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Beta, Distribution};
use std::ops::Bound;

/// Random changes of images: shifts, rotations, scaling, flips, crops, contrast, brightness and cutout, in this order.
///
/// Each image has its own generator, seeded from the given one, so the result does not depend on the number of threads.
/// Positions between pixels are interpolated linearly; whole shifts and flips copy pixels.
///
/// ```
/// use wengert::data::{Augment, mnist};
/// use wengert::prelude::*;
///
/// # fn main() -> Result<(), wengert::Error> {
/// let (train, _) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))?;
/// let augment = Augment::new([28, 28]).shift(2.0).rotate(10.0).scale(0.9, 1.1);
/// let mut rng = wengert::rng(0);
/// for batch in train.take(256).batches(128).shuffled(&mut rng) {
///     let images = augment.apply(&batch.images, &mut rng);
///     assert_eq!(images.shape(), [128, 784]);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Augment {
    channels: usize,
    height: usize,
    width: usize,
    shift: f64,
    /// In radians.
    angle: f64,
    scale: (f64, f64),
    flip: f64,
    padding: usize,
    contrast: f64,
    brightness: f64,
    cutout: usize,
    fill: f32,
}

impl Augment {
    /// No changes of images of a shape: `[height, width]` or `[channels, height, width]`.
    ///
    /// # Panics
    /// If the shape has another number of axes, or no pixels.
    #[doc(alias("transforms", "RandomCrop", "RandomHorizontalFlip", "RandomAffine", "ColorJitter", "RandomErasing"))]
    #[track_caller]
    pub fn new(shape: impl IntoShape) -> Self {
        let shape = resolve_shape("Augment", shape, None);
        let (channels, height, width) = match shape[..] {
            [height @ (1..), width @ (1..)] => (1, height, width),
            [channels @ (1..), height @ (1..), width @ (1..)] => (channels, height, width),
            _ => panics::image_shape("Augment", &shape, "[height, width] or [channels, height, width]"),
        };
        let (shift, angle, scale, flip) = (0.0, 0.0, (1.0, 1.0), 0.0);
        let (padding, contrast, brightness, cutout, fill) = (0, 0.0, 0.0, 0, 0.0);
        Augment { channels, height, width, shift, angle, scale, flip, padding, contrast, brightness, cutout, fill }
    }

    /// Shifts by up to `pixels` pixels along each axis, including fractions of a pixel.
    ///
    /// # Panics
    /// If the number is negative or not finite.
    #[track_caller]
    pub fn shift(self, pixels: f64) -> Self {
        Augment { shift: check_option("shift", pixels, 0.0..), ..self }
    }

    /// Rotates about the center by up to `degrees` degrees, in both directions.
    ///
    /// # Panics
    /// If the number is negative or not finite.
    #[track_caller]
    pub fn rotate(self, degrees: f64) -> Self {
        Augment { angle: check_option("rotate", degrees, 0.0..).to_radians(), ..self }
    }

    /// Scales about the center by a factor between `least` and `most`.
    ///
    /// # Panics
    /// If the least is not positive, or exceeds the most, or one is not finite.
    #[track_caller]
    pub fn scale(self, least: f64, most: f64) -> Self {
        let least = check_option("scale", least, (Bound::Excluded(0.0), Bound::Unbounded));
        Augment { scale: (least, check_option("scale", most, least..)), ..self }
    }

    /// Flips left and right with the given probability.
    ///
    /// # Panics
    /// If the probability is not between 0 and 1.
    #[track_caller]
    pub fn flip(self, probability: f64) -> Self {
        Augment { flip: check_option("flip", probability, 0.0..=1.0), ..self }
    }

    /// Pads the image on all sides by that many pixels, and cuts out a part of the original size at random.
    pub fn crop(self, padding: usize) -> Self {
        Augment { padding, ..self }
    }

    /// Multiplies the distance of each value from the mean of its image by a factor between 1 − `amount` and 1 + `amount`.
    ///
    /// # Panics
    /// If the amount is not between 0 and 1.
    #[track_caller]
    pub fn contrast(self, amount: f64) -> Self {
        Augment { contrast: check_option("contrast", amount, 0.0..=1.0), ..self }
    }

    /// Adds a number between −`amount` and `amount` to all values of an image.
    ///
    /// # Panics
    /// If the amount is negative or not finite.
    #[track_caller]
    pub fn brightness(self, amount: f64) -> Self {
        Augment { brightness: check_option("brightness", amount, 0.0..), ..self }
    }

    /// Fills a square with a side of `size` pixels at a random center; part of it may be outside the image (DeVries and Taylor 2017).
    pub fn cutout(self, size: usize) -> Self {
        Augment { cutout: size, ..self }
    }

    /// Sets the value outside an image and in a cutout: 0 by default. For normalized images, the background is `(0 − mean) / std`.
    pub fn fill(self, value: f32) -> Self {
        Augment { fill: value, ..self }
    }

    /// Changes each image of a batch: `[n, pixels]`, or `[n, …]` with the shape of an image.
    ///
    /// # Panics
    /// If a row is not an image.
    #[track_caller]
    pub fn apply(&self, images: &Tensor, rng: &mut impl Rng) -> Tensor {
        let size = self.channels * self.height * self.width;
        let (count, row) = match images.shape() {
            [count, row @ ..] => (*count, element_count(row)),
            [] => panics::no_samples("Augment", &[]),
        };
        if row != size {
            panics::feature_shape("Augment", images.shape(), &[self.channels, self.height, self.width]);
        }
        let seeds: Vec<u64> = (0..count).map(|_| rng.next_u64()).collect();
        let x = images.as_slice();
        Tensor::build(Dims::from_slice(images.shape()), |y| {
            for_each_chunk(y, size, |k, y| {
                self.image(&x[k * size..][..size], y, &mut Generator::seed_from_u64(seeds[k]))
            });
        })
    }

    /// Changes one image.
    fn image(&self, x: &[f32], y: &mut [f32], rng: &mut Generator) {
        let mut within = |most: f64| if most > 0.0 { most * rng.random_range(-1.0..=1.0) } else { 0.0 };
        let angle = within(self.angle);
        let mut shift = [within(self.shift), within(self.shift)];
        let (contrast, brightness) = ((1.0 + within(self.contrast)) as f32, within(self.brightness) as f32);
        let (least, most) = self.scale;
        let scale = if least < most { rng.random_range(least..=most) } else { least };
        let mirror = if self.flip > 0.0 && rng.random_bool(self.flip) { -1.0 } else { 1.0 };
        for shift in &mut shift {
            *shift += rng.random_range(0..=self.padding.saturating_mul(2)) as f64 - self.padding as f64;
        }
        // From a pixel of the result to its place in the image. `libm`, since the functions of the system differ between systems.
        let (sin, cos) = libm::sincos(angle);
        let [row, column] = [self.height, self.width].map(|size| (size - 1) as f64 / 2.0);
        for ((i, j), k) in (0..self.height).flat_map(|i| (0..self.width).map(move |j| (i, j))).zip(0..) {
            let (down, right) = (i as f64 - row - shift[0], j as f64 - column - shift[1]);
            let place =
                [(cos * down - sin * right) / scale + row, mirror * (sin * down + cos * right) / scale + column];
            for channel in 0..self.channels {
                let from = channel * self.height * self.width;
                y[from + k] = self.value(&x[from..], place);
            }
        }
        if self.contrast > 0.0 || self.brightness > 0.0 {
            let mean = (y.iter().map(|&value| f64::from(value)).sum::<f64>() / y.len() as f64) as f32;
            y.iter_mut().for_each(|value| *value = (*value - mean) * contrast + mean + brightness);
        }
        if self.cutout > 0 {
            let mut range = |size: usize| {
                // Twice the size covers the image from anywhere.
                let cutout = self.cutout.min(2 * size);
                let end = rng.random_range(0..size) + cutout - cutout / 2;
                end.saturating_sub(cutout)..end.min(size)
            };
            let (rows, columns) = (range(self.height), range(self.width));
            for row in y.chunks_exact_mut(self.width).enumerate().filter(|(k, _)| rows.contains(&(k % self.height))) {
                row.1[columns.clone()].fill(self.fill);
            }
        }
    }

    /// The value of one channel at a place, interpolated between the four pixels around it.
    fn value(&self, x: &[f32], [row, column]: [f64; 2]) -> f32 {
        let pixel = |i: f64, j: f64| {
            let inside = i >= 0.0 && j >= 0.0 && i < self.height as f64 && j < self.width as f64;
            f64::from(if inside { x[i as usize * self.width + j as usize] } else { self.fill })
        };
        let (i, j) = (row.floor(), column.floor());
        let (down, right) = (row - i, column - j);
        let along = |i: f64| match right {
            0.0 => pixel(i, j),
            _ => pixel(i, j) * (1.0 - right) + pixel(i, j + 1.0) * right,
        };
        (if down == 0.0 { along(i) } else { along(i) * (1.0 - down) + along(i + 1.0) * down }) as f32
    }
}

/// Mixes each sample with another one of the batch, and so their targets: `λ x + (1 − λ) x'`, where λ has the distribution
/// Beta(α, α) (Zhang et al. 2018). Targets are vectors, such as [`one_hot`](super::one_hot).
///
/// # Panics
/// If the numbers of samples and targets differ, or α is not positive.
///
/// ```
/// use wengert::data::{mixup, one_hot};
/// use wengert::prelude::*;
///
/// let mut rng = wengert::rng(0);
/// let (images, targets) = (Tensor::randn([4, 9], &mut rng), one_hot(&[0, 1, 2, 0], 3));
/// let (images, targets) = mixup(&images, &targets, 0.2, &mut rng);
/// let scores = Linear::new(9, 3, Init::He, &mut rng).forward(&Tape::training(&mut rng).constant(images));
/// let loss = CrossEntropy::new().soft_target_loss(&scores, &targets);
/// # assert!(loss.item() > 0.0);
/// ```
#[track_caller]
pub fn mixup(inputs: &Tensor, targets: &Tensor, alpha: f64, rng: &mut impl Rng) -> (Tensor, Tensor) {
    check_option("mixup: alpha", alpha, (Bound::Excluded(0.0), Bound::Unbounded));
    let [count, other] = [inputs, targets].map(|rows| rows.shape().first().copied().unwrap_or(0));
    if count != other {
        panics::sample_count(count, other);
    }
    // A generator for each sample: how many numbers a Beta deviate takes is random.
    let draws: Vec<(usize, f64)> = (0..count)
        .map(|_| {
            let mut rng = Generator::seed_from_u64(rng.next_u64());
            let partner = rng.random_range(0..count);
            (partner, Beta::new(alpha, alpha).map_or(0.5, |beta| beta.sample(&mut rng)))
        })
        .collect();
    let mixed = |rows: &Tensor| {
        let (x, size) = (rows.as_slice(), element_count(rows.shape()) / count.max(1));
        Tensor::build(Dims::from_slice(rows.shape()), |y| {
            for (k, (y, &(partner, part))) in y.chunks_exact_mut(size.max(1)).zip(&draws).enumerate() {
                for (j, y) in y.iter_mut().enumerate() {
                    let [a, b] = [k, partner].map(|row| f64::from(x[row * size + j]));
                    *y = (part * a + (1.0 - part) * b) as f32;
                }
            }
        })
    };
    (mixed(inputs), mixed(targets))
}
