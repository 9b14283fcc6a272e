//! The IDX format, in which MNIST and its relatives come.
//!
//! A file is a magic number (two zeros, the type of the elements, the number of dimensions), the dimensions as 32-bit
//! big-endian integers, and the elements, row-major.

use crate::error::Error;
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The code of the element type that is supported.
const UNSIGNED_BYTES: u8 = 0x08;

/// The content of an IDX file of unsigned bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The dimensions, such as `[60000, 28, 28]`.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub elements: Vec<u8>,
}

impl Idx {
    /// The position of the first element in the file.
    pub(super) fn header_length(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }
}

/// Reads an IDX file of unsigned bytes, compressed with gzip or not, whatever its name.
///
/// Memory grows with what the file holds, not with what its header claims.
///
/// # Errors
/// If the file cannot be read, is not an IDX file of unsigned bytes, or has more or fewer elements than its dimensions say.
///
/// ```
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/t10k-labels-idx1-ubyte.gz");
/// let labels = wengert::data::idx::read(path)?;
/// assert_eq!(labels.shape, [10_000]);
/// assert_eq!(labels.elements[..4], [7, 2, 1, 0]);
/// # Ok::<(), wengert::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Idx, Error> {
    let mut content = Content::open(path.as_ref())?;
    let magic = content.exactly(4, "magic number")?;
    let [0, 0, kind, rank] = magic[..] else {
        return Err(content.fault(0, "magic number", "two zeros", format!("{:02x} {:02x}", magic[0], magic[1])));
    };
    if kind != UNSIGNED_BYTES {
        return Err(content.fault(2, "element type", "08 (unsigned bytes)", format!("{kind:02x}")));
    }
    let sizes = content.exactly(4 * usize::from(rank), "dimensions")?;
    let shape: Vec<usize> = sizes.as_chunks().0.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    let Some(count) = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size)) else {
        return Err(content.fault(4, "dimensions", "a number of elements that fits in memory", format!("{shape:?}")));
    };
    let elements = content.exactly(count, &format!("elements of shape {shape:?}"))?;
    content.end()?;
    Ok(Idx { shape, elements })
}

/// The bytes of a file, decompressed if need be.
struct Content<'a> {
    path: &'a Path,
    reader: Box<dyn Read>,
    /// How many bytes have been read.
    position: u64,
}

impl<'a> Content<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let mut file = BufReader::new(super::open(path)?);
        let compressed = file.fill_buf().map_err(Error::io(path))?.starts_with(&GZIP);
        let reader: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Content { path, reader, position: 0 })
    }

    /// The next `count` bytes, or fewer at the end of the file.
    fn up_to(&mut self, count: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let outcome = self.reader.by_ref().take(count as u64).read_to_end(&mut bytes);
        self.position += bytes.len() as u64;
        match outcome {
            Ok(_) => Ok(bytes),
            Err(error) if error.raw_os_error().is_some() => Err(Error::io(self.path)(error)),
            Err(error) => Err(self.fault(self.position, "compressed data", "an intact gzip stream", error.to_string())),
        }
    }

    /// The next `count` bytes.
    fn exactly(&mut self, count: usize, what: &str) -> Result<Vec<u8>, Error> {
        let start = self.position;
        let bytes = self.up_to(count)?;
        if bytes.len() < count {
            let found = format!("the end of the file after {}", bytes.len());
            return Err(self.fault(start, what, &format!("{count} bytes"), found));
        }
        Ok(bytes)
    }

    /// Checks that nothing follows; of a compressed file, that its checksum is right.
    fn end(&mut self) -> Result<(), Error> {
        let start = self.position;
        match self.up_to(1)?[..] {
            [] => Ok(()),
            _ => Err(self.fault(start, "what follows the elements", "the end of the file", "more bytes".into())),
        }
    }

    fn fault(&self, offset: u64, what: &str, expected: &str, found: String) -> Error {
        Error::Format { path: self.path.into(), offset, what: what.into(), expected: expected.into(), found }
    }
}
