//! The IDX format of MNIST and similar data sets.
//!
//! A file holds a magic number (two zeros, the element type, the number of dimensions), the dimensions as 32-bit
//! big-endian integers, and the elements in row-major order.

use crate::error::Error;
use crate::file::{self, Source};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The code of the supported element type.
const UNSIGNED_BYTES: u8 = 0x08;

/// The content of an IDX file of unsigned bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The dimensions, such as `[60000, 28, 28]`.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub elements: Vec<u8>,
}

impl Idx {
    /// The offset of the first element in the file.
    pub(super) fn header_length(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }
}

/// Reads an IDX file of unsigned bytes. Gzip compression is detected by content, not by name.
///
/// Memory use is bounded by the size of the content, whatever the header claims.
///
/// # Errors
/// If the file cannot be read, is not an IDX file of unsigned bytes, or its length does not match its dimensions.
///
/// ```
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/t10k-labels-idx1-ubyte.gz");
/// let labels = wengert::data::idx::read(path)?;
/// assert_eq!(labels.shape, [10_000]);
/// assert_eq!(labels.elements[..4], [7, 2, 1, 0]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Idx, Error> {
    let mut source = open(path.as_ref())?;
    let magic = source.read_exact(4, "magic number")?;
    let [0, 0, kind, rank] = magic[..] else {
        return Err(source.error(0, "magic number", "two zeros", format!("{:02x} {:02x}", magic[0], magic[1])));
    };
    if kind != UNSIGNED_BYTES {
        return Err(source.error(2, "element type", "08 (unsigned bytes)", format!("{kind:02x}")));
    }
    let sizes = source.read_exact(4 * u64::from(rank), "dimensions")?;
    let shape: Vec<usize> = sizes.as_chunks().0.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    let Some(count) = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size)) else {
        return Err(source.error(4, "dimensions", "a number of elements that fits in memory", format!("{shape:?}")));
    };
    let elements = source.read_exact(count as u64, &format!("elements of shape {shape:?}"))?;
    source.expect_end()?;
    Ok(Idx { shape, elements })
}

/// Opens a file, decompressing it if it begins like a gzip stream.
fn open(path: &Path) -> Result<Source<'_>, Error> {
    let (file, length) = file::open(path)?;
    let mut file = BufReader::new(file);
    let compressed = file.fill_buf().map_err(Error::io(path))?.starts_with(&GZIP);
    let reader: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(Source::new(path, reader, length, u64::MAX))
}
