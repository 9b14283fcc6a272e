//! The npy format of numpy, for one array.
//!
//! A file holds a magic number, the length of the header, the header (a Python dictionary), and the elements. numpy has no
//! `bfloat16`: as JAX's extension of it does, such arrays are stored as two bytes without a type, `V2`, which numpy gives their
//! type by `.view(ml_dtypes.bfloat16)`.
//!
//! ```
//! use wengert::io::npy;
//! use wengert::prelude::*;
//!
//! # let directory = tempfile::tempdir().unwrap();
//! let path = directory.path().join("points.npy");
//! npy::write(tensor![[0.0, 0.0], [3.0, 4.0]], &path)?; // in Python: numpy.load("points.npy")
//! assert_eq!(npy::read(&path)?.tensor(), tensor![[0.0, 0.0], [3.0, 4.0]]);
//! # Ok::<(), wengert::Error>(())
//! ```

use crate::data::RowFile;
use crate::error::Error;
use crate::file::{self, Source};
use crate::io::array::{Array, DType, Decoder, POSSIBLE_SHAPE, gathered, impossible};
use crate::tensor::Float;
use std::io::{self, Write};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an array of half, single or double precision, integers or booleans (as 0 and 1), in either byte order and either
/// axis order (C or Fortran).
///
/// # Errors
/// If the file cannot be read, violates the format, or has elements of another type: complex numbers, strings
/// and records are not supported.
pub fn read(path: impl AsRef<Path>) -> Result<Array, Error> {
    decode(&mut Source::open(path.as_ref())?)
}

/// Writes an array to a file, atomically replacing an existing one.
///
/// # Errors
/// If the file cannot be written. An existing file is then left unchanged.
pub fn write(array: impl Into<Array>, path: impl AsRef<Path>) -> Result<(), Error> {
    let array = array.into();
    file::replace(path.as_ref(), |writer| encode(&array, writer))
}

/// Opens a file whose rows, along the first axis, are read by position: it may be larger than memory. Types are those of [`read`], in C
/// order.
///
/// # Errors
/// If the file cannot be opened, violates the format, has elements of another type, is in Fortran order, or its length does not match
/// its shape.
///
/// ```
/// use wengert::io::npy;
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("rows.npy");
/// npy::write(tensor![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &path)?;
/// assert_eq!(npy::open::<f32>(&path)?.read(1..3)?, tensor![[3.0, 4.0], [5.0, 6.0]]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[doc(alias = "mmap_mode")]
pub fn open<T: Float>(path: impl AsRef<Path>) -> Result<RowFile<T>, Error> {
    let path = path.as_ref();
    let (file, length) = file::open(path)?;
    let mut source = Source::new(path, Box::new(&file), length, length);
    let (Header { dtype, big_endian, fortran_order, shape }, count) = decode_header(&mut source)?;
    let start = source.position();
    if fortran_order && shape.len() > 1 {
        return Err(source.error(
            10,
            "order",
            "rows in C order, as of numpy.ascontiguousarray",
            "Fortran order".into(),
        ));
    }
    if count != source.remaining() {
        let (expected, found) = (format!("{count} bytes, of shape {shape:?}"), format!("{}", source.remaining()));
        return Err(source.error(start, "elements", &expected, found));
    }
    drop(source);
    let decode = move |mut bytes: Vec<u8>| {
        if big_endian {
            bytes.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
        }
        let mut decoder = Decoder::new(dtype, vec![bytes.len() / dtype.size()]);
        decoder.push(&bytes).map_err(|n: u64| n.to_string())?;
        Ok(decoder.finish().tensor::<T>().into_vec())
    };
    RowFile::new(path, file, start, &shape, dtype.size(), Box::new(decode))
}

/// Reads the header, and computes the number of bytes of the elements.
fn decode_header(source: &mut Source) -> Result<(Header, u64), Error> {
    let magic = source.read_exact(8, "magic number")?;
    let (magic, version) = magic.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(source.error(0, "magic number", "\\x93NUMPY", magic.escape_ascii().to_string()));
    }
    let length_bytes = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(source.error(6, "version", "1, 2 or 3", other.to_string())),
    };
    let length = source.read_exact(length_bytes, "length of the header")?;
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | u64::from(byte));
    let start = source.position();
    let header = source.read_exact(length, "header")?;
    let in_header = |(what, expected, found): HeaderError| source.error(start, what, expected, found);
    let header = Header::parse(&header).map_err(in_header)?;
    match header.dtype.bytes(&header.shape) {
        Some(count) => Ok((header, count)),
        None => Err(in_header(("shape", POSSIBLE_SHAPE, impossible(&header.shape)))),
    }
}

/// Reads an array that takes up the whole source.
pub(super) fn decode(source: &mut Source) -> Result<Array, Error> {
    let (Header { dtype, big_endian, fortran_order, shape }, count) = decode_header(source)?;
    let start = source.position();
    let mut bytes = source.read_exact(count, "elements")?;
    source.expect_end()?;
    if big_endian {
        bytes.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
    }
    if fortran_order {
        bytes = row_major(&bytes, dtype.size(), &shape);
    }
    let too_large = |n: u64| source.error(start, "elements", "integers that fit in an i64", n.to_string());
    let mut decoder = Decoder::new(dtype, shape);
    decoder.push(&bytes).map_err(too_large)?;
    Ok(decoder.finish())
}

/// Writes the header and the elements.
pub(super) fn encode(array: &Array, writer: &mut impl Write) -> io::Result<()> {
    let sizes: Vec<String> = array.shape().iter().map(usize::to_string).collect();
    let comma = if sizes.len() == 1 { "," } else { "" };
    let (name, sizes) = (array.dtype().npy_name(), sizes.join(", "));
    let mut header = format!("{{'descr': '<{name}', 'fortran_order': False, 'shape': ({sizes}{comma}), }}");
    // Pads the header so that the elements start at a multiple of 64 bytes.
    let front = MAGIC.len() + 6;
    let padded = (front + header.len() + 1).next_multiple_of(64) - front;
    header.extend(std::iter::repeat_n(' ', padded - header.len() - 1));
    header.push('\n');
    writer.write_all(MAGIC)?;
    // Version 2 has no 64 KiB limit on the header.
    writer.write_all(&[2, 0])?;
    writer.write_all(&u32::try_from(header.len()).map_err(io::Error::other)?.to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    array.write(writer)
}

/// Converts elements of `size` bytes from column-major to row-major order.
fn row_major(bytes: &[u8], size: usize, shape: &[usize]) -> Vec<u8> {
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[..axis].iter().product()).collect();
    gathered(bytes, size, shape, &strides)
}

/// The malformed part, what was expected and what was found.
type HeaderError = (&'static str, &'static str, String);

/// The content of the header.
#[derive(Debug, PartialEq)]
struct Header {
    dtype: DType,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Parses a dictionary such as `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
    fn parse(text: &[u8]) -> Result<Header, HeaderError> {
        let not_utf8 = |_| ("header", "UTF-8", text.escape_ascii().take(40).map(char::from).collect());
        let mut tokens = Tokens { rest: std::str::from_utf8(text).map_err(not_utf8)? };
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        tokens.expect("{")?;
        loop {
            let key = match tokens.next() {
                "}" => break,
                key => key,
            };
            tokens.expect(":")?;
            let repeated = match key.trim_matches(['\'', '"']) {
                "descr" => descr.replace(tokens.next()).is_some(),
                "fortran_order" => fortran_order.replace(tokens.boolean()?).is_some(),
                "shape" => shape.replace(tokens.sizes()?).is_some(),
                _ => true,
            };
            if repeated {
                return Err(("header", "'descr', 'fortran_order' and 'shape', each once", excerpt(key)));
            }
            match tokens.next() {
                "," => {}
                "}" => break,
                other => return Err(("header", "',' or '}'", excerpt(other))),
            }
        }
        tokens.expect("")?;
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
            return Err(("header", "'descr', 'fortran_order' and 'shape'", "only some of them".into()));
        };
        let (dtype, big_endian) = parse_dtype(descr)?;
        Ok(Header { dtype, big_endian, fortran_order, shape })
    }
}

/// Parses the dtype, and whether it is big-endian.
fn parse_dtype(descr: &str) -> Result<(DType, bool), HeaderError> {
    let error = || ("dtype", "f2, f4, f8, V2, i1 to i8, u1 to u8 or b1, after '<', '>' or '|'", excerpt(descr));
    let text = descr.trim_matches(['\'', '"']);
    let (order, name) = text.split_at_checked(1).ok_or_else(error)?;
    let dtype = DType::ALL.into_iter().find(|dtype| dtype.npy_name() == name).ok_or_else(error)?;
    match order {
        "<" => Ok((dtype, false)),
        ">" => Ok((dtype, true)),
        "|" if dtype.size() == 1 || dtype == DType::BF16 => Ok((dtype, false)),
        _ => Err(error()),
    }
}

/// A tokenizer of the header.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// The next quoted string, word or punctuation mark; empty at the end.
    fn next(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let first = text.chars().next().unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '\'' | '"' => text[1..].find(first).map_or(text.len(), |at| at + 2),
            _ if is_word(first) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
            _ => text.chars().next().map_or(0, char::len_utf8),
        };
        let (token, rest) = text.split_at(length);
        self.rest = rest;
        token
    }

    fn expect(&mut self, token: &'static str) -> Result<(), HeaderError> {
        match self.next() {
            next if next == token => Ok(()),
            other => Err(("header", if token.is_empty() { "its end" } else { token }, excerpt(other))),
        }
    }

    fn boolean(&mut self) -> Result<bool, HeaderError> {
        match self.next() {
            "True" => Ok(true),
            "False" => Ok(false),
            other => Err(("fortran_order", "True or False", excerpt(other))),
        }
    }

    /// A tuple of integers.
    fn sizes(&mut self) -> Result<Vec<usize>, HeaderError> {
        let mut sizes = Vec::new();
        let error = |found| Err(("shape", "a tuple of integers", excerpt(found)));
        let open = self.next();
        if open != "(" {
            return error(open);
        }
        loop {
            let token = self.next();
            if token == ")" {
                return Ok(sizes);
            }
            // Python 2 wrote long numbers as 3L.
            let Ok(size) = token.trim_end_matches('L').parse() else { return error(token) };
            sizes.push(size);
            match self.next() {
                "," => {}
                ")" => return Ok(sizes),
                other => return error(other),
            }
        }
    }
}

/// The beginning of a token, for error messages.
fn excerpt(text: &str) -> String {
    match text {
        "" => "the end of the header".into(),
        _ => text.chars().take(40).flat_map(char::escape_debug).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_other_writers_are_parsed() {
        let expected = Header { dtype: DType::F64, big_endian: true, fortran_order: true, shape: vec![2, 3] };
        for text in [
            "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }  \n",
            r#"{"shape":(2L,3L,),"fortran_order":True,"descr":">f8"}"#,
        ] {
            assert_eq!(Header::parse(text.as_bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn unsupported_headers_are_refused() {
        let of = |descr: &str, shape: &str| {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}");
            let (what, _, found) = Header::parse(text.as_bytes()).unwrap_err();
            format!("{what}: {found}")
        };
        assert_eq!(of("'<'", "()"), "dtype: \\'<\\'");
        assert_eq!(of("'<c16'", "()"), "dtype: \\'<c16\\'");
        assert_eq!(of("'|f4'", "()"), "dtype: \\'|f4\\'");
        assert_eq!(of("'é'", "()"), "dtype: \\'é\\'");
        assert_eq!(of("[('x', '<f4')]", "()"), "header: (");
        assert_eq!(of("'<f4'", "(-1,)"), "shape: -");
        assert_eq!(of("'<f4'", "(99999999999999999999,)"), "shape: 99999999999999999999");
        assert_eq!(of("'<f4'", "(2"), "shape: }");
    }

    #[test]
    fn column_major_becomes_row_major() {
        let column_major = [0, 3, 6, 1, 4, 7, 2, 5, 8];
        assert_eq!(row_major(&column_major, 1, &[3, 1, 3]), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(row_major(&[0, 1, 4, 5, 2, 3, 6, 7], 2, &[2, 2]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(row_major(&[1, 2], 2, &[]), [1, 2]);
        assert_eq!(row_major(&[], 4, &[2, 0, 3]), [0u8; 0]);
    }
}
