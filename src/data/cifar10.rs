//! CIFAR-10: 50 000 training images and 10 000 test images of ten kinds of things, in color.

use crate::data::Images;
use crate::error::Error;
use crate::file::{self, Source};
use std::path::Path;

/// The names of the classes.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The bytes of an image: red, green and blue.
const SIZE: usize = 3 * 32 * 32;

/// Reads the training set and the test set from the folder `cifar-10-batches-bin` of the binary version, which is not part of this
/// crate: `data_batch_1.bin` to `data_batch_5.bin`, and `test_batch.bin`. Images are `[3, 32, 32]`.
///
/// # Errors
/// If a file is missing, cannot be read, or is malformed.
///
/// ```no_run
/// use wengert::data::cifar10;
///
/// let (train, test) = cifar10::load("cifar-10-batches-bin")?;
/// let (mean, std) = ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);
/// let (train, test) = (train.normalize_channels(&mean, &std), test.normalize_channels(&mean, &std));
/// # Ok::<(), wengert::Error>(())
/// ```
#[doc(alias = "CIFAR10")]
pub fn load(directory: impl AsRef<Path>) -> Result<(Images, Images), Error> {
    let directory = directory.as_ref();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for number in 1..=5 {
        read(&directory.join(format!("data_batch_{number}.bin")), &mut pixels, &mut labels)?;
    }
    let train = Images::new(pixels, labels, [3, 32, 32]);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    read(&directory.join("test_batch.bin"), &mut pixels, &mut labels)?;
    Ok((train, Images::new(pixels, labels, [3, 32, 32])))
}

/// Appends the images and labels of a file: a byte for the label before each image.
fn read(path: &Path, pixels: &mut Vec<u8>, labels: &mut Vec<usize>) -> Result<(), Error> {
    let (file, length) = file::open(path)?;
    if length == 0 || !length.is_multiple_of(1 + SIZE as u64) {
        let expected = "a multiple of 3073 bytes: a label and 32 × 32 pixels in three colors";
        return Err(Error::format(path, length, "end of the images", expected, length.to_string()));
    }
    let mut source = Source::new(path, Box::new(file), length, length);
    for (number, image) in source.read_exact(length, "images")?.chunks_exact(1 + SIZE).enumerate() {
        if image[0] > 9 {
            let offset = (number * image.len()) as u64;
            return Err(source.error(offset, "label", "0 to 9", image[0].to_string()));
        }
        labels.push(image[0].into());
        pixels.extend_from_slice(&image[1..]);
    }
    Ok(())
}
