//! Images in folders, one for each class.

use crate::data::images::PixelScale;
use crate::data::{Dataset, ImageBatch, Images};
use crate::error::Error;
use crate::file;
use crate::kernel::map_indices;
use crate::panics;
use crate::tensor::{Dims, IntoShape, Tensor, element_count, resolve_shape};
use image::imageops::FilterType;
use image::{ImageFormat, ImageReader};
use std::fmt::{self, Debug, Formatter};
use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// PNG and JPEG files in folders whose names are the classes, such as `cats/1.png` and `dogs/1.jpg`.
///
/// Classes and files are in the order of their names, on every system. Files are read when a batch is gathered, on
/// [`num_threads`](crate::num_threads) threads; [`prefetch`](super::Batches::prefetch) does so during a training step. Images of another
/// size are resized (triangle filter), and converted to gray or color. Files with other extensions are left out.
///
/// Requires the feature `images`.
///
/// ```
/// use wengert::data::ImageFolder;
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # for (class, value) in [("cats", 0), ("dogs", 255)] {
/// #     std::fs::create_dir(directory.path().join(class)).unwrap();
/// #     image::GrayImage::from_pixel(5, 5, image::Luma([value])).save(directory.path().join(class).join("1.png")).unwrap();
/// # }
/// # let pets = directory.path();
/// let images = ImageFolder::open(pets, [3, 32, 32])?;
/// assert_eq!(images.classes(), ["cats", "dogs"]);
/// for batch in images.batches(64).shuffled(&mut wengert::rng(0)) {
///     let batch = batch?; // a Result, unlike that of images in memory
///     assert_eq!(batch.images.shape(), [batch.labels.len(), 3 * 32 * 32]);
/// }
/// let in_memory = images.read()?;
/// # assert_eq!(in_memory.labels(), [0, 1]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone)]
pub struct ImageFolder {
    files: Vec<(PathBuf, usize)>,
    classes: Vec<String>,
    /// Channels, height, width.
    shape: [usize; 3],
    scale: PixelScale,
}

impl ImageFolder {
    /// Finds the files in a folder of classes. Images get the shape `[1, height, width]`, gray, or `[3, height, width]`, red, green and
    /// blue.
    ///
    /// # Panics
    /// If the shape is another.
    ///
    /// # Errors
    /// If a folder cannot be read, there are no classes, or there are no images in one of them.
    #[doc(alias = "image_dataset_from_directory")]
    #[track_caller]
    pub fn open(path: impl AsRef<Path>, shape: impl IntoShape) -> Result<Self, Error> {
        let shape = resolve_shape("ImageFolder", shape, None);
        let [channels @ (1 | 3), height @ (1..), width @ (1..)] = shape[..] else {
            panics::image_shape("ImageFolder", &shape, "[1, height, width] or [3, height, width]");
        };
        let (mut files, mut classes) = (Vec::new(), Vec::new());
        for folder in entries(path.as_ref())?.into_iter().filter(|path| path.is_dir()) {
            let images: Vec<PathBuf> = entries(&folder)?.into_iter().filter(|path| format_of(path).is_some()).collect();
            if images.is_empty() {
                return Err(missing(&folder, "no .png, .jpg or .jpeg files"));
            }
            files.extend(images.into_iter().map(|image| (image, classes.len())));
            classes.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        if classes.is_empty() {
            return Err(missing(path.as_ref(), "no folders, whose names are the classes"));
        }
        let scale = PixelScale::new(&[0.0], &[1.0]);
        Ok(ImageFolder { files, classes, shape: [channels, height, width], scale })
    }

    /// Converts pixels to `(pixel / 255 − mean) / std`, with numbers for each channel; see
    /// [`Images::normalize_channels`](Images::normalize_channels).
    ///
    /// # Panics
    /// If there are not as many means and standard deviations as channels, a standard deviation is not positive, or a number is not
    /// finite.
    #[track_caller]
    #[must_use]
    pub fn normalize_channels(mut self, mean: &[f64], std: &[f64]) -> Self {
        self.scale = PixelScale::of_channels(&self.shape, mean, std);
        self
    }

    /// The names of the classes, in the order of the labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The class of each image.
    pub fn labels(&self) -> Vec<usize> {
        self.files.iter().map(|(_, label)| *label).collect()
    }

    /// The file of an image.
    ///
    /// # Panics
    /// If the position is not less than [`len`](Dataset::len).
    #[track_caller]
    pub fn path(&self, index: usize) -> &Path {
        match self.files.get(index) {
            Some((path, _)) => path,
            None => panics::row_out_of_range(index, &[self.files.len()]),
        }
    }

    /// Reads all images into memory, as bytes. Normalize the result.
    ///
    /// # Errors
    /// If a file cannot be read, or is not a PNG or JPEG image.
    pub fn read(&self) -> Result<Images, Error> {
        let indices = Vec::from_iter(0..self.files.len());
        let pixels = self.pixels(&indices)?.concat();
        Ok(Images::new(pixels, self.labels(), self.shape))
    }

    /// The pixels of each image.
    fn pixels(&self, indices: &[usize]) -> Result<Vec<Vec<u8>>, Error> {
        map_indices(indices.len(), |k| decode(&self.files[indices[k]].0, self.shape)).into_iter().collect()
    }
}

impl Dataset for ImageFolder {
    type Batch = Result<ImageBatch, Error>;

    fn len(&self) -> usize {
        self.files.len()
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> Self::Batch {
        if let Some(&row) = indices.iter().find(|&&row| row >= self.len()) {
            panics::row_out_of_range(row, &[self.len()]);
        }
        let (images, size) = (self.pixels(indices)?, element_count(&self.shape));
        let images = Tensor::build(Dims::from_slice(&[indices.len(), size]), |y| {
            y.chunks_exact_mut(size).zip(&images).for_each(|(y, pixels)| self.scale.convert(pixels, y));
        });
        Ok(ImageBatch { images, labels: indices.iter().map(|&row| self.files[row].1).collect() })
    }
}

impl Debug for ImageFolder {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let ImageFolder { files, classes, shape, .. } = self;
        let mut shown = f.debug_struct("ImageFolder");
        shown.field("len", &files.len()).field("classes", classes).field("shape", shape).finish_non_exhaustive()
    }
}

/// What is in a folder, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut entries: Vec<PathBuf> = entries.map_err(Error::io(folder))?;
    entries.sort();
    Ok(entries)
}

fn missing(folder: &Path, what: &str) -> Error {
    Error::io(folder)(io::Error::new(io::ErrorKind::NotFound, format!("there are {what}")))
}

/// The format that the extension of a file names.
fn format_of(path: &Path) -> Option<ImageFormat> {
    let format = ImageFormat::from_path(path).ok();
    format.filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg))
}

/// The pixels of a file, `[channels, height, width]`. The format is detected by content, not by name.
fn decode(path: &Path, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, Error> {
    let (file, _) = file::open(path)?;
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(Error::io(path))?;
    // The decoder bounds the memory that a header may ask for.
    let image = reader.decode().map_err(|error| match error {
        image::ImageError::IoError(error) if error.raw_os_error().is_some() => Error::io(path)(error),
        error => Error::format(path, 0, "image", "a PNG or JPEG file", error.to_string()),
    })?;
    let (w, h) = (width as u32, height as u32);
    let same = image.width() == w && image.height() == h;
    let image = if same { image } else { image.resize_exact(w, h, FilterType::Triangle) };
    if channels == 1 {
        return Ok(image.into_luma8().into_raw());
    }
    let colors = image.into_rgb8().into_raw();
    Ok((0..3).flat_map(|channel| colors.iter().skip(channel).step_by(3).copied()).collect())
}
