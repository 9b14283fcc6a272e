//! MNIST: 60 000 training images and 10 000 test images of handwritten digits; and Fashion-MNIST, which has the same layout.

use crate::data::Images;
use crate::data::idx::{self, Idx};
use crate::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// The names of the classes of Fashion-MNIST.
pub const FASHION_CLASSES: [&str; 10] =
    ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

/// Reads the training set and the test set of MNIST, of Fashion-MNIST, or of a data set with the same layout, from a directory.
///
/// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each optionally compressed with the suffix `.gz`. Images are 28 × 28, classes are 0 to 9.
///
/// # Errors
/// If a file is missing, cannot be read, or is malformed.
///
/// ```
/// use wengert::data::mnist;
/// use wengert::prelude::*;
///
/// let (train, test) = mnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))?;
/// assert_eq!((train.len(), test.len()), (60_000, 10_000));
/// assert_eq!(train.labels()[..3], [5, 0, 4]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[doc(alias("load_mnist", "FashionMNIST"))]
pub fn load(directory: impl AsRef<Path>) -> Result<(Images, Images), Error> {
    let directory = directory.as_ref();
    Ok((load_part(directory, "train")?, load_part(directory, "t10k")?))
}

/// The training set (`train`) or the test set (`t10k`).
fn load_part(directory: &Path, part: &str) -> Result<Images, Error> {
    let (path, images) = read(directory, &format!("{part}-images-idx3-ubyte"))?;
    let [count @ (1..), 28, 28] = images.shape[..] else {
        return Err(wrong_shape(path, &images, "[n, 28, 28]"));
    };
    let (path, labels) = read(directory, &format!("{part}-labels-idx1-ubyte"))?;
    if labels.shape != [count] {
        return Err(wrong_shape(path, &labels, &format!("[{count}], one label per image")));
    }
    if let Some(position) = labels.elements.iter().position(|&label| label > 9) {
        return Err(Error::Format {
            path,
            offset: labels.header_length() + position as u64,
            what: "label".into(),
            expected: "0 to 9".into(),
            found: labels.elements[position].to_string(),
        });
    }
    let classes = labels.elements.into_iter().map(usize::from).collect();
    Ok(Images::new(images.elements, classes, [28, 28]))
}

/// Reads a file, compressed or not; also returns its path.
fn read(directory: &Path, name: &str) -> Result<(PathBuf, Idx), Error> {
    for name in [&format!("{name}.gz"), name] {
        let path = directory.join(name);
        match idx::read(&path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome.map(|idx| (path, idx)),
        }
    }
    let missing = io::Error::new(io::ErrorKind::NotFound, format!("found neither {name}.gz nor {name}"));
    Err(Error::io(directory)(missing))
}

fn wrong_shape(path: PathBuf, idx: &Idx, expected: &str) -> Error {
    let (expected, found) = (expected.into(), format!("{:?}", idx.shape));
    Error::Format { path, offset: 4, what: "dimensions".into(), expected, found }
}
