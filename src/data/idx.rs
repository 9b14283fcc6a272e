//! The IDX format of MNIST and similar data sets.
//!
//! A file holds a magic number (two zeros, the element type, the number of dimensions), the dimensions as 32-bit
//! big-endian integers, and the big-endian elements in row-major order.

use crate::data::RowFile;
use crate::error::Error;
use crate::file::{self, Source};
use crate::kernel::base::dims::count;
use crate::tensor::{Float, Tensor};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The content of an IDX file; its elements are bytes, or of [any type](Elements).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx<E = Vec<u8>> {
    /// The dimensions, such as `[60000, 28, 28]`.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub elements: E,
}

/// Declares the element types with their codes and their names in messages.
macro_rules! elements {
    ($($(#[$meta:meta])* $variant:ident($t:ty) = $code:literal;)*) => {
        /// The elements of an IDX file, of one of the types of the format.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Elements {
            $($(#[$meta])* $variant(Vec<$t>),)*
        }

        impl Elements {
            /// The size of an element of the type with a code.
            fn size_of(code: u8) -> Option<usize> {
                match code {
                    $($code => Some(size_of::<$t>()),)*
                    _ => None,
                }
            }

            /// The elements of the type with a code, which exists, from their bytes.
            fn from_bytes(code: u8, bytes: &[u8]) -> Self {
                match code {
                    $($code => {
                        let elements = bytes.as_chunks().0.iter();
                        Elements::$variant(elements.map(|&element| <$t>::from_be_bytes(element)).collect())
                    })*
                    _ => unreachable!("the type was checked"),
                }
            }

            /// The elements as numbers.
            fn numbers<T: Float>(&self) -> Vec<T> {
                match self {
                    $(Elements::$variant(elements) => elements.iter().map(|&x| T::from_f64(f64::from(x))).collect(),)*
                }
            }
        }
    };
}

elements! {
    /// Unsigned bytes.
    U8(u8) = 0x08;
    /// Signed bytes.
    I8(i8) = 0x09;
    /// 16-bit integers.
    I16(i16) = 0x0b;
    /// 32-bit integers, as in the labels of QMNIST.
    I32(i32) = 0x0c;
    /// Single-precision numbers.
    F32(f32) = 0x0d;
    /// Double-precision numbers.
    F64(f64) = 0x0e;
}

impl<E> Idx<E> {
    /// The offset of the first element in the file.
    pub(super) fn header_length(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }
}

impl Idx<Elements> {
    /// The elements as a tensor; `f32` rounds integers above 2²⁴.
    pub fn tensor<T: Float>(&self) -> Tensor<T> {
        Tensor::from_vec(self.elements.numbers(), self.shape.as_slice())
    }

    /// The elements as labels or indices; `None` if one of them is not a non-negative integer.
    pub fn labels(&self) -> Option<Vec<usize>> {
        let label = |x: f64| (x >= 0.0 && x.fract() == 0.0 && x <= u32::MAX.into()).then_some(x as usize);
        self.elements.numbers().into_iter().map(label).collect()
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
    let (_, shape, elements) = read_bytes(path.as_ref(), "08 (unsigned bytes)", |code| (code == 8).then_some(1))?;
    Ok(Idx { shape, elements })
}

/// [`read`] for elements of any type of the format: 8-bit integers with or without a sign, integers of 16 and 32 bits, and
/// numbers in single and double precision.
///
/// # Errors
/// If the file cannot be read, is not an IDX file, or its length does not match its dimensions.
///
/// ```
/// use wengert::data::idx::{self, Elements};
/// use wengert::prelude::*;
///
/// # let path = std::env::temp_dir().join(format!("wengert-idx-{}", std::process::id()));
/// std::fs::write(&path, [0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 0, 7, 0, 1, 0, 0])?;
/// let labels = idx::read_any(&path)?;
/// assert_eq!(labels.elements, Elements::I32(vec![7, 65536]));
/// assert_eq!(labels.labels(), Some(vec![7, 65536]));
/// assert_eq!(labels.tensor(), tensor![7.0, 65536.0]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_any(path: impl AsRef<Path>) -> Result<Idx<Elements>, Error> {
    let (code, shape, bytes) = read_bytes(path.as_ref(), "08, 09, 0b, 0c, 0d or 0e", Elements::size_of)?;
    Ok(Idx { shape, elements: Elements::from_bytes(code, &bytes) })
}

/// Opens an uncompressed IDX file of any element type for reading by position: it may be larger than memory.
///
/// # Errors
/// If the file cannot be opened, is not an IDX file, is compressed, or its length does not match its dimensions.
///
/// ```
/// use wengert::data::idx;
/// use wengert::prelude::*;
///
/// # let path = std::env::temp_dir().join(format!("wengert-idx-open-{}", std::process::id()));
/// std::fs::write(&path, [0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 10, 11, 20, 21, 30, 31])?;
/// let rows = idx::open::<f32>(&path)?;
/// assert_eq!(rows.read(1..3)?, tensor![[20.0, 21.0], [30.0, 31.0]]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open<T: Float>(path: impl AsRef<Path>) -> Result<RowFile<T>, Error> {
    let path = path.as_ref();
    let (file, length) = file::open(path)?;
    let mut source = Source::new(path, Box::new(&file), length, length);
    let (code, shape, count) = read_header(&mut source, "08, 09, 0b, 0c, 0d or 0e", Elements::size_of)?;
    let start = source.position();
    if count as u64 != source.remaining() {
        let (expected, found) = (format!("{count} bytes, of shape {shape:?}"), format!("{}", source.remaining()));
        return Err(source.error(start, "elements", &expected, found));
    }
    drop(source);
    let width = Elements::size_of(code).unwrap_or(1);
    let decode = move |bytes: Vec<u8>| Ok(Elements::from_bytes(code, &bytes).numbers());
    RowFile::new(path, file, start, &shape, width, Box::new(decode))
}

/// The type and the shape of the elements of a file, and the number of their bytes; `size_of` returns the size of an element of an
/// accepted type.
fn read_header(
    source: &mut Source,
    accepted: &str,
    size_of: impl Fn(u8) -> Option<usize>,
) -> Result<(u8, Vec<usize>, usize), Error> {
    let magic = source.read_exact(4, "magic number")?;
    let [0, 0, code, rank] = magic[..] else {
        return Err(source.error(0, "magic number", "two zeros", format!("{:02x} {:02x}", magic[0], magic[1])));
    };
    let Some(size) = size_of(code) else {
        return Err(source.error(2, "element type", accepted, format!("{code:02x}")));
    };
    let sizes = source.read_exact(4 * u64::from(rank), "dimensions")?;
    let shape: Vec<usize> = sizes.as_chunks().0.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    match count(&shape) {
        Some(count) => Ok((code, shape, count * size)),
        None => {
            let expected = "at most 64 axes and a size that fits in memory";
            Err(source.error(4, "dimensions", expected, format!("{shape:?}")))
        }
    }
}

/// The type, the shape and the bytes of the elements of a file.
fn read_bytes(
    path: &Path,
    accepted: &str,
    size_of: impl Fn(u8) -> Option<usize>,
) -> Result<(u8, Vec<usize>, Vec<u8>), Error> {
    let mut source = decompressed(path)?;
    let (code, shape, count) = read_header(&mut source, accepted, size_of)?;
    let bytes = source.read_exact(count as u64, &format!("elements of shape {shape:?}"))?;
    source.expect_end()?;
    Ok((code, shape, bytes))
}

/// Opens a file, decompressing it if it begins like a gzip stream.
fn decompressed(path: &Path) -> Result<Source<'_>, Error> {
    let (file, length) = file::open(path)?;
    // Some special files never end, or block; their length is 0.
    let mut file = BufReader::new(file.take(length));
    let compressed = file.fill_buf().map_err(Error::io(path))?.starts_with(&GZIP);
    let reader: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(Source::new(path, reader, length, u64::MAX))
}
