//! The safetensors format, in which tensors travel between programs and languages.
//!
//! A file is the length of its header in 8 bytes, the header, and the elements of all tensors, without gaps. The header is a
//! JSON object; it has type, shape and place of each tensor under its name, and texts under the name `__metadata__`.
//!
//! ```
//! use wengert::io::safetensors;
//! use wengert::prelude::*;
//!
//! # let directory = tempfile::tempdir().unwrap();
//! let path = directory.path().join("points.safetensors");
//! safetensors::write([("origin", tensor![0.0, 0.0]), ("corner", tensor![3.0, 4.0])], &path)?;
//! let arrays = safetensors::read(&path)?;
//! assert_eq!(arrays["corner"].tensor(), tensor![3.0, 4.0]);
//! # Ok::<(), wengert::Error>(())
//! ```

use super::array::{Array, Kind};
use super::file::{self, Source};
use super::json::{self, Object, Value, quoted};
use crate::error::{Error, Misfit};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

/// Longer headers are refused, as by the reference implementation.
const LONGEST_HEADER: u64 = 100_000_000;
/// The entry of the header that is no tensor.
const METADATA: &str = "__metadata__";

/// Reads all tensors of a file.
///
/// # Errors
/// If the file cannot be read, is not in every respect as the format demands, or has tensors of other types than `F32`, `F64` and whole numbers
/// of up to 64 bits: numbers in half precision, `F16` and `BF16`, are refused.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, Error> {
    Ok(Contents::read(path.as_ref())?.arrays)
}

/// Writes named tensors to a file, which is replaced as a whole.
///
/// # Errors
/// If the file cannot be written: then it is as it was before. If there are two tensors of one name, or one has the name
/// `__metadata__`, which the format keeps for itself.
pub fn write<N: Into<String>, A: Into<Array>>(
    arrays: impl IntoIterator<Item = (N, A)>,
    path: impl AsRef<Path>,
) -> Result<(), Error> {
    let arrays = arrays.into_iter().map(|(name, array)| (name.into(), array.into())).collect();
    save(arrays, &BTreeMap::new(), path.as_ref())
}

/// Writes named tensors, and texts that belong to them.
pub(super) fn save(
    mut arrays: Vec<(String, Array)>,
    texts: &BTreeMap<String, String>,
    path: &Path,
) -> Result<(), Error> {
    // As the reference implementation does it: so every element lies at a multiple of its size.
    arrays.sort_by_key(|(_, array)| Reverse(array.kind().size()));
    let (mut entries, mut names, mut misfits, mut end) = (Vec::new(), BTreeSet::new(), Vec::new(), 0);
    if !texts.is_empty() {
        let texts: Vec<_> = texts.iter().map(|(key, text)| format!("{}:{}", quoted(key), quoted(text))).collect();
        entries.push(format!("\"{METADATA}\":{{{}}}", texts.join(",")));
    }
    for (name, array) in &arrays {
        let (begin, kind, shape) = (end, array.kind(), array.shape());
        end += array.len() * kind.size();
        let (quoted, kind) = (quoted(name), kind.name());
        entries.push(format!(r#"{quoted}:{{"dtype":"{kind}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#));
        if name == METADATA {
            misfits.push(Misfit::new(name, "a name that the format does not keep for itself", array.describe()));
        } else if !names.insert(name) {
            misfits.push(Misfit::new(name, "one tensor of this name", "two of them"));
        }
    }
    if !misfits.is_empty() {
        return Err(Error::Misfit { path: path.into(), misfits });
    }
    let mut header = format!("{{{}}}", entries.join(","));
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    file::replace(path, |writer| {
        writer.write_all(&(header.len() as u64).to_le_bytes())?;
        writer.write_all(header.as_bytes())?;
        arrays.iter().try_for_each(|(_, array)| array.write(writer))
    })
}

/// All that a file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) arrays: BTreeMap<String, Array>,
    pub(super) texts: BTreeMap<String, String>,
}

impl Contents {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let mut source = Source::open(path)?;
        let length = source.exactly(8, "length of the header")?;
        let length = length.iter().rev().fold(0, |length, &byte| length << 8 | u64::from(byte));
        if length > LONGEST_HEADER {
            let expected = format!("at most {LONGEST_HEADER} bytes");
            return Err(source.fault(0, "length of the header", &expected, length.to_string()));
        }
        let bytes = source.exactly(length, "header")?;
        let header = json::parse(&bytes)
            .map_err(|(at, reason)| source.fault(8 + at as u64, "header", "descriptions of tensors", reason))?;
        let (texts, places) = interpret(header).map_err(|fault| fault.in_header_of(&source))?;
        check_places(&places, source.left()).map_err(|fault| fault.in_header_of(&source))?;
        let mut arrays = BTreeMap::new();
        for Place { name, kind, shape, begin, end } in places {
            let what = format!("elements of {name:?}");
            let start = source.position();
            let bytes = source.exactly(end - begin, &what)?;
            let array = kind.decode(&bytes, shape).map_err(|number| {
                source.fault(start, &what, "numbers that fit in 64 bits with a sign", number.to_string())
            })?;
            arrays.insert(name, array);
        }
        Ok(Contents { arrays, texts })
    }
}

/// Where a tensor is, and what it is.
struct Place {
    name: String,
    kind: Kind,
    shape: Vec<usize>,
    /// Position of the first byte, and of the first one behind, among the elements of all tensors.
    begin: u64,
    end: u64,
}

/// Something in the header is not as it should be.
struct Fault {
    what: String,
    expected: String,
    found: String,
}

impl Fault {
    fn new(name: &str, what: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Fault { what: format!("{what} of {name:?} in the header"), expected: expected.into(), found: found.into() }
    }

    fn in_header_of(self, source: &Source) -> Error {
        source.fault(8, &self.what, &self.expected, self.found)
    }
}

/// The texts and the places of the tensors that a header describes, the places in their order.
fn interpret(header: Object<Object<Value>>) -> Result<(BTreeMap<String, String>, Vec<Place>), Fault> {
    let (mut texts, mut places, mut names) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for (name, entry) in header {
        if !names.insert(name.clone()) {
            return Err(Fault::new(&name, "number of entries", "1", "more of them"));
        }
        if name != METADATA {
            places.push(place(name, entry)?);
            continue;
        }
        for (key, value) in entry {
            let Value::Text(text) = value else {
                return Err(Fault::new(&key, "metadata", "a text", "a list"));
            };
            texts.insert(key, text);
        }
    }
    places.sort_by_key(|place| (place.begin, place.end));
    Ok((texts, places))
}

/// The place of one tensor.
fn place(name: String, entry: Object<Value>) -> Result<Place, Fault> {
    let (mut kind, mut shape, mut offsets) = (None, None, None);
    for (key, value) in entry {
        let repeated = match (key.as_str(), value) {
            ("dtype", Value::Text(text)) => kind.replace(text).is_some(),
            ("shape", Value::Numbers(numbers)) => shape.replace(numbers).is_some(),
            ("data_offsets", Value::Numbers(numbers)) => offsets.replace(numbers).is_some(),
            _ => true,
        };
        if repeated {
            return Err(Fault::new(&name, "description", "dtype, shape and data_offsets, each once", key));
        }
    }
    let (Some(kind), Some(shape), Some(offsets)) = (kind, shape, offsets) else {
        return Err(Fault::new(&name, "description", "dtype, shape and data_offsets", "not all of them"));
    };
    let Some(&kind) = Kind::ALL.iter().find(|known| known.name() == kind) else {
        let known = Kind::ALL.map(Kind::name).join(", ");
        return Err(Fault::new(&name, "type", format!("one of {known}"), kind));
    };
    let sizes = shape.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<_>>>();
    let Some((sizes, bytes)) = sizes.and_then(|sizes| kind.bytes(&sizes).map(|bytes| (sizes, bytes))) else {
        return Err(Fault::new(&name, "shape", "a size that fits in memory", format!("{shape:?}")));
    };
    match offsets[..] {
        [begin, end] if end.checked_sub(begin) == Some(bytes) => Ok(Place { name, kind, shape: sizes, begin, end }),
        _ => {
            let expected = format!("two that are {bytes} apart, for {} {shape:?}", kind.name());
            Err(Fault::new(&name, "data_offsets", expected, format!("{offsets:?}")))
        }
    }
}

/// Checks that places, which are in order, fill so many bytes without gap and overlap.
fn check_places(places: &[Place], bytes: u64) -> Result<(), Fault> {
    let mut end = 0;
    for place in places {
        if place.begin != end {
            return Err(Fault::new(&place.name, "begin", end.to_string(), place.begin.to_string()));
        }
        end = place.end;
    }
    match places.last() {
        _ if end == bytes => Ok(()),
        Some(last) => Err(Fault::new(&last.name, "end", format!("{bytes}, where the file ends"), end.to_string())),
        None => {
            Err(Fault { what: "header".into(), expected: format!("tensors of {bytes} bytes"), found: "none".into() })
        }
    }
}
