//! MNIST: 60 000 handwritten digits to train on and 10 000 to test with.

use super::Images;
use super::idx::{self, Idx};
use crate::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Reads the four files of MNIST, or of a set in its form, from a directory: the training set and the test set.
///
/// They are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each
/// as it is or compressed, with `.gz` after its name. Images are 28 × 28, classes are 0 to 9.
///
/// # Errors
/// If a file is missing, cannot be read, or does not hold what it should.
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
pub fn load(directory: impl AsRef<Path>) -> Result<(Images, Images), Error> {
    let directory = directory.as_ref();
    Ok((load_part(directory, "train")?, load_part(directory, "t10k")?))
}

/// One of the two sets.
fn load_part(directory: &Path, part: &str) -> Result<Images, Error> {
    let (path, images) = read(directory, &format!("{part}-images-idx3-ubyte"))?;
    let [count @ (1..), 28, 28] = images.shape[..] else {
        return Err(wrong_shape(path, &images, "[n, 28, 28]"));
    };
    let (path, labels) = read(directory, &format!("{part}-labels-idx1-ubyte"))?;
    if labels.shape != [count] {
        return Err(wrong_shape(path, &labels, &format!("[{count}], a label for each image")));
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

/// Reads a file that may be compressed, and says which one it was.
fn read(directory: &Path, name: &str) -> Result<(PathBuf, Idx), Error> {
    for name in [&format!("{name}.gz"), name] {
        let path = directory.join(name);
        match idx::read(&path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome.map(|idx| (path, idx)),
        }
    }
    let missing = io::Error::new(io::ErrorKind::NotFound, format!("there is neither {name}.gz nor {name}"));
    Err(Error::io(directory)(missing))
}

fn wrong_shape(path: PathBuf, idx: &Idx, expected: &str) -> Error {
    let (expected, found) = (expected.into(), format!("{:?}", idx.shape));
    Error::Format { path, offset: 4, what: "dimensions".into(), expected, found }
}
