//! The npy format, in which numpy saves an array.
//!
//! A file is a magic number, the length of the header, the header, which is a Python dictionary, and the elements.
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

use super::array::{Array, Kind};
use super::file::{self, Source};
use crate::error::Error;
use std::io::{self, Write};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an array, of numbers in single or double precision, whole numbers or truth values (as 0 and 1), in either order of
/// bytes and of axes.
///
/// # Errors
/// If the file cannot be read, is not in every respect as the format demands, or has elements of another type: numbers in
/// half precision, complex numbers, texts and records are refused.
pub fn read(path: impl AsRef<Path>) -> Result<Array, Error> {
    decode(&mut Source::open(path.as_ref())?)
}

/// Writes an array to a file, which is replaced as a whole.
///
/// # Errors
/// If the file cannot be written: then it is as it was before.
pub fn write(array: impl Into<Array>, path: impl AsRef<Path>) -> Result<(), Error> {
    let array = array.into();
    file::replace(path.as_ref(), |writer| encode(&array, writer))
}

/// The array that a source holds from its beginning to its end.
pub(super) fn decode(source: &mut Source) -> Result<Array, Error> {
    let magic = source.exactly(8, "magic number")?;
    let (magic, version) = magic.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(source.fault(0, "magic number", "\\x93NUMPY", magic.escape_ascii().to_string()));
    }
    let length_bytes = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(source.fault(6, "version", "1, 2 or 3", other.to_string())),
    };
    let length = source.exactly(length_bytes, "length of the header")?;
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | u64::from(byte));
    let start = source.position();
    let header = source.exactly(length, "header")?;
    let in_header = |(what, expected, found): Fault| source.fault(start, what, expected, found);
    let Header { kind, big_endian, fortran_order, shape } = Header::parse(&header).map_err(in_header)?;
    let Some(count) = kind.bytes(&shape) else {
        return Err(in_header(("shape", "a size that fits in memory", format!("{shape:?}"))));
    };
    let start = source.position();
    let mut bytes = source.exactly(count, "elements")?;
    source.end()?;
    if big_endian {
        bytes.chunks_exact_mut(kind.size()).for_each(<[u8]>::reverse);
    }
    if fortran_order {
        bytes = row_major(&bytes, kind.size(), &shape);
    }
    let too_large = |n: u64| source.fault(start, "elements", "numbers that fit in 64 bits with a sign", n.to_string());
    kind.decode(&bytes, shape).map_err(too_large)
}

/// Writes an array with its header.
pub(super) fn encode(array: &Array, writer: &mut impl Write) -> io::Result<()> {
    let sizes: Vec<String> = array.shape().iter().map(usize::to_string).collect();
    let comma = if sizes.len() == 1 { "," } else { "" };
    let (name, sizes) = (array.kind().npy_name(), sizes.join(", "));
    let mut header = format!("{{'descr': '<{name}', 'fortran_order': False, 'shape': ({sizes}{comma}), }}");
    // So long that the elements begin at a multiple of 64 bytes.
    let front = MAGIC.len() + 6;
    let padded = (front + header.len() + 1).next_multiple_of(64) - front;
    header.extend(std::iter::repeat_n(' ', padded - header.len() - 1));
    header.push('\n');
    writer.write_all(MAGIC)?;
    // Version 2, whose header may be of any length.
    writer.write_all(&[2, 0])?;
    writer.write_all(&u32::try_from(header.len()).map_err(io::Error::other)?.to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    array.write(writer)
}

/// Brings elements of so many bytes from the order in which the first axis is the fastest to that in which the last one is.
fn row_major(bytes: &[u8], size: usize, shape: &[usize]) -> Vec<u8> {
    // Axes of size 1 do not matter; without them there are less than 64.
    let shape: Vec<usize> = shape.iter().copied().filter(|&size| size != 1).collect();
    let strides: Vec<usize> = (0..shape.len()).map(|axis| size * shape[..axis].iter().product::<usize>()).collect();
    let (mut index, mut from, mut ordered) = (vec![0; shape.len()], 0, Vec::with_capacity(bytes.len()));
    while ordered.len() < bytes.len() {
        ordered.extend(&bytes[from..from + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}

/// What is wrong, what was expected and what was found.
type Fault = (&'static str, &'static str, String);

/// What the header says.
#[derive(Debug, PartialEq)]
struct Header {
    kind: Kind,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads a dictionary such as `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
    fn parse(text: &[u8]) -> Result<Header, Fault> {
        let not_text = |_| ("header", "a text", text.escape_ascii().take(40).map(char::from).collect());
        let mut tokens = Tokens { rest: std::str::from_utf8(text).map_err(not_text)? };
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
                "fortran_order" => fortran_order.replace(tokens.truth()?).is_some(),
                "shape" => shape.replace(tokens.sizes()?).is_some(),
                _ => true,
            };
            if repeated {
                return Err(("header", "'descr', 'fortran_order' and 'shape', each once", shortened(key)));
            }
            match tokens.next() {
                "," => {}
                "}" => break,
                other => return Err(("header", "',' or '}'", shortened(other))),
            }
        }
        tokens.expect("")?;
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
            return Err(("header", "'descr', 'fortran_order' and 'shape'", "not all of them".into()));
        };
        let (kind, big_endian) = element_type(descr)?;
        Ok(Header { kind, big_endian, fortran_order, shape })
    }
}

/// The type of the elements, and whether the most significant byte is the first.
fn element_type(descr: &str) -> Result<(Kind, bool), Fault> {
    let fault =
        || ("type of the elements", "f4, f8, i1 to i8, u1 to u8 or b1, after '<', '>' or '|'", shortened(descr));
    let text = descr.trim_matches(['\'', '"']);
    let (order, name) = text.split_at_checked(1).ok_or_else(fault)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.npy_name() == name).ok_or_else(fault)?;
    match order {
        "<" => Ok((kind, false)),
        ">" => Ok((kind, true)),
        "|" if kind.size() == 1 => Ok((kind, false)),
        _ => Err(fault()),
    }
}

/// What is left of the header.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// The next quoted text, word or sign; empty at the end.
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

    fn expect(&mut self, sign: &'static str) -> Result<(), Fault> {
        match self.next() {
            token if token == sign => Ok(()),
            other => Err(("header", if sign.is_empty() { "its end" } else { sign }, shortened(other))),
        }
    }

    fn truth(&mut self) -> Result<bool, Fault> {
        match self.next() {
            "True" => Ok(true),
            "False" => Ok(false),
            other => Err(("fortran_order", "True or False", shortened(other))),
        }
    }

    /// A tuple of numbers.
    fn sizes(&mut self) -> Result<Vec<usize>, Fault> {
        let mut sizes = Vec::new();
        let fault = |found| Err(("shape", "a tuple of numbers", shortened(found)));
        let open = self.next();
        if open != "(" {
            return fault(open);
        }
        loop {
            let token = self.next();
            if token == ")" {
                return Ok(sizes);
            }
            // Python 2 wrote long numbers as 3L.
            let Ok(size) = token.trim_end_matches('L').parse() else { return fault(token) };
            sizes.push(size);
            match self.next() {
                "," => {}
                ")" => return Ok(sizes),
                other => return fault(other),
            }
        }
    }
}

/// The beginning of a text, for a message.
fn shortened(text: &str) -> String {
    match text {
        "" => "the end of the header".into(),
        _ => text.chars().take(40).flat_map(char::escape_debug).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_other_writers_are_understood() {
        let expected = Header { kind: Kind::F64, big_endian: true, fortran_order: true, shape: vec![2, 3] };
        for text in [
            "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }  \n",
            r#"{"shape":(2L,3L,),"fortran_order":True,"descr":">f8"}"#,
        ] {
            assert_eq!(Header::parse(text.as_bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let of = |descr: &str, shape: &str| {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}");
            let (what, _, found) = Header::parse(text.as_bytes()).unwrap_err();
            format!("{what}: {found}")
        };
        assert_eq!(of("'<f2'", "()"), "type of the elements: \\'<f2\\'");
        assert_eq!(of("'<c16'", "()"), "type of the elements: \\'<c16\\'");
        assert_eq!(of("'|f4'", "()"), "type of the elements: \\'|f4\\'");
        assert_eq!(of("'é'", "()"), "type of the elements: \\'é\\'");
        assert_eq!(of("[('x', '<f4')]", "()"), "header: (");
        assert_eq!(of("'<f4'", "(-1,)"), "shape: -");
        assert_eq!(of("'<f4'", "(99999999999999999999,)"), "shape: 99999999999999999999");
        assert_eq!(of("'<f4'", "(2"), "shape: }");
    }

    #[test]
    fn every_order_of_axes_is_brought_into_one() {
        let column_major = [0, 3, 6, 1, 4, 7, 2, 5, 8];
        assert_eq!(row_major(&column_major, 1, &[3, 1, 3]), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(row_major(&[0, 1, 4, 5, 2, 3, 6, 7], 2, &[2, 2]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(row_major(&[1, 2], 2, &[]), [1, 2]);
        assert_eq!(row_major(&[], 4, &[2, 0, 3]), [0u8; 0]);
    }
}
