//! The safetensors format, which many libraries and languages read and write.
//!
//! A file holds the length of the header in 8 bytes, the header, and the elements of all tensors without gaps. The
//! header is a JSON object that maps names to the dtype, shape and offsets of each tensor, and `__metadata__` to a map
//! of strings. Files written here have the CRC-32 of the elements there, under `crc32`, and a file that has one is checked against it when
//! it is read.
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

use crate::error::{Error, Mismatch};
use crate::file::{self, Source};
use crate::io::array::{Array, DType, POSSIBLE_SHAPE, impossible};
use crate::io::contents::{BLOCK, Contents, StoredArray, WeightFile, by_name};
use crate::io::json::{self, Field, Object, quoted};
use flate2::{Crc, CrcWriter};
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

/// The maximum header length, as in the reference implementation.
const MAX_HEADER: u64 = 100_000_000;
/// The header entry that is not a tensor.
const METADATA: &str = "__metadata__";
/// The metadata entry with the checksum of all elements, in hexadecimal.
const CHECKSUM: &str = "crc32";

/// Reads all tensors of a file, or of all files that an index (`model.safetensors.index.json`) lists.
///
/// # Errors
/// If the file cannot be read, violates the format, or contains tensors other than `F16`, `BF16`, `F32`, `F64`, `BOOL` and
/// integers of up to 64 bits.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, Error> {
    let path = path.as_ref();
    if is_index(path) { sharded(path) } else { contents(&WeightFile::open(path)?) }?.read()
}

/// Writes named tensors to a file, atomically replacing an existing one.
///
/// # Errors
/// If the file cannot be written, two tensors have the same name, or one is named `__metadata__`, which the format
/// reserves. An existing file is then left unchanged.
pub fn write<N: Into<String>, A: Into<Array>>(
    arrays: impl IntoIterator<Item = (N, A)>,
    path: impl AsRef<Path>,
) -> Result<(), Error> {
    let arrays = arrays.into_iter().map(|(name, array)| (name.into(), array.into())).collect();
    save(arrays, &BTreeMap::new(), path.as_ref())
}

/// Writes named tensors and metadata.
#[inline(never)]
pub(super) fn save(
    mut arrays: Vec<(String, Array)>,
    metadata: &BTreeMap<String, String>,
    path: &Path,
) -> Result<(), Error> {
    // The order of the reference implementation, which aligns every element to its size.
    arrays.sort_by_key(|(_, array)| Reverse(array.dtype().size()));
    let checksum = (CHECKSUM, checksum(&arrays).map_err(Error::io(path))?);
    let metadata = metadata.iter().map(|(key, text)| (key.as_str(), text.clone())).chain([checksum]);
    let texts: Vec<_> = metadata.map(|(key, text)| format!("{}:{}", quoted(key), quoted(&text))).collect();
    let (mut entries, mut names) = (vec![format!("\"{METADATA}\":{{{}}}", texts.join(","))], HashSet::new());
    let (mut mismatches, mut end) = (Vec::new(), 0);
    for (name, array) in &arrays {
        let (begin, dtype, shape) = (end, array.dtype(), array.shape());
        end += array.len() * dtype.size();
        let (quoted, dtype) = (quoted(name), dtype.name());
        entries.push(format!(r#"{quoted}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#));
        if name == METADATA {
            mismatches.push(Mismatch::new(name, "the name of a tensor", "a name reserved by the format"));
        } else if !names.insert(name.clone()) {
            mismatches.push(Mismatch::new(name, "a unique name", "a duplicate"));
        }
    }
    Error::check_mismatches(path, mismatches)?;
    let mut header = format!("{{{}}}", entries.join(","));
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    file::replace(path, |writer| {
        writer.write_all(&(header.len() as u64).to_le_bytes())?;
        writer.write_all(header.as_bytes())?;
        arrays.iter().try_for_each(|(_, array)| array.write(writer))
    })
}

/// The checksum of the elements of arrays.
fn checksum(arrays: &[(String, Array)]) -> io::Result<String> {
    let mut writer = CrcWriter::new(io::sink());
    arrays.iter().try_for_each(|(_, array)| array.write(&mut writer))?;
    Ok(format!("{:08x}", writer.crc().sum()))
}

/// Compares the elements with the checksum in the metadata, if there is one.
fn verify(source: &mut Source, metadata: &BTreeMap<String, String>) -> Result<(), Error> {
    let Some(expected) = metadata.get(CHECKSUM) else { return Ok(()) };
    let (mut checksum, start) = (Crc::new(), source.position());
    while source.remaining() > 0 {
        checksum.update(&source.read_exact(source.remaining().min(BLOCK), "elements")?);
    }
    let found = format!("{:08x}", checksum.sum());
    if *expected == found {
        return Ok(());
    }
    let expected = format!("{expected}, as when it was written");
    Err(source.error(start, "CRC-32 of the elements", &expected, format!("{found}: the file is damaged")))
}

/// The arrays of a file, from its header.
pub(super) fn contents(file: &Rc<WeightFile>) -> Result<Contents, Error> {
    let mut source = file.source()?;
    let length = source.read_exact(8, "length of the header")?;
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | u64::from(byte));
    if length > MAX_HEADER {
        let expected = format!("at most {MAX_HEADER} bytes");
        let found = format!("{length}: not a safetensors file");
        return Err(source.error(0, "length of the header", &expected, found));
    }
    let bytes = source.read_exact(length, "header")?;
    let header = json::parse(&bytes).map_err(|(at, reason)| {
        source.error(8 + at as u64, "header", "tensor descriptions", format!("a parse error: {reason}"))
    })?;
    let (metadata, tensors) = parse_header(header).map_err(|error| error.into_error(&source))?;
    check_offsets(&tensors, source.remaining()).map_err(|error| error.into_error(&source))?;
    let start = source.position();
    verify(&mut source, &metadata)?;
    let stored = tensors.into_iter().map(|TensorInfo { name, dtype, shape, begin, .. }| {
        let array = StoredArray::new(file, start + begin, dtype, shape);
        (name, array)
    });
    Ok(Contents { arrays: by_name(stored), metadata })
}

/// Whether a path names an index of several files.
pub(super) fn is_index(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// The arrays of a model in several files, from the index that lists them: `model.safetensors.index.json`.
pub(super) fn sharded(index: &Path) -> Result<Contents, Error> {
    let mut source = Source::open(index)?;
    let bytes = source.read_exact(source.remaining().min(MAX_HEADER), "index")?;
    let malformed = |at: usize, found: String| {
        Error::format(index, at as u64, "index", "a map of names to files, weight_map", found)
    };
    let map = json::weight_map(&bytes).map_err(|(at, reason)| malformed(at, format!("a parse error: {reason}")))?;
    let mut shards: BTreeMap<String, Contents> = BTreeMap::new();
    let (mut arrays, mut mismatches) = (BTreeMap::new(), Vec::new());
    for (name, file) in map {
        // The index names files beside it and no others.
        if Path::new(&file).file_name() != Some(file.as_ref()) || file.contains(['/', '\\', ':']) {
            return Err(malformed(0, format!("{file:?} in place of the name of a file beside it")));
        }
        let shard = match shards.entry(file) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let path = index.with_file_name(entry.key());
                entry.insert(contents(&WeightFile::open(&path)?)?)
            }
        };
        match shard.arrays.remove(&name) {
            Some(array) => _ = arrays.insert(name, array),
            None => mismatches.push(Mismatch::new(&name, "an array of its shard", "nothing")),
        }
    }
    Error::check_mismatches(index, mismatches)?;
    Ok(Contents { arrays, metadata: BTreeMap::new() })
}

/// The header entry of a tensor.
struct TensorInfo {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    /// The range of its bytes within the data section.
    begin: u64,
    end: u64,
}

/// An invalid header: a format error without its file.
struct HeaderError {
    what: String,
    expected: String,
    found: String,
}

impl HeaderError {
    fn new(name: &str, what: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        HeaderError {
            what: format!("{what} of {name:?} in the header"),
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn into_error(self, source: &Source) -> Error {
        source.error(8, &self.what, &self.expected, self.found)
    }
}

/// The metadata and the tensors of a header, the tensors sorted by offset.
fn parse_header(header: Object<Object<Field>>) -> Result<(BTreeMap<String, String>, Vec<TensorInfo>), HeaderError> {
    let (mut metadata, mut tensors, mut names) = (BTreeMap::new(), Vec::new(), HashSet::new());
    for (name, entry) in header {
        if !names.insert(name.clone()) {
            return Err(HeaderError::new(&name, "number of entries", "1", "2 or more"));
        }
        if name != METADATA {
            tensors.push(tensor_info(name, entry)?);
            continue;
        }
        for (key, value) in entry {
            let Field::String(text) = value else {
                return Err(HeaderError::new(&key, "metadata", "a string", "a list"));
            };
            metadata.insert(key, text);
        }
    }
    tensors.sort_by_key(|tensor| (tensor.begin, tensor.end));
    Ok((metadata, tensors))
}

/// Parses the entry of one tensor.
fn tensor_info(name: String, entry: Object<Field>) -> Result<TensorInfo, HeaderError> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    for (key, value) in entry {
        let repeated = match (key.as_str(), value) {
            ("dtype", Field::String(text)) => dtype.replace(text).is_some(),
            ("shape", Field::Numbers(numbers)) => shape.replace(numbers).is_some(),
            ("data_offsets", Field::Numbers(numbers)) => offsets.replace(numbers).is_some(),
            _ => true,
        };
        if repeated {
            return Err(HeaderError::new(&name, "description", "dtype, shape and data_offsets, each once", key));
        }
    }
    let (Some(dtype), Some(shape), Some(offsets)) = (dtype, shape, offsets) else {
        return Err(HeaderError::new(&name, "description", "dtype, shape and data_offsets", "only some of them"));
    };
    let Some(&dtype) = DType::ALL.iter().find(|known| known.name() == dtype) else {
        let known = DType::ALL.map(DType::name).join(", ");
        return Err(HeaderError::new(&name, "dtype", format!("one of {known}"), dtype));
    };
    let sizes = shape.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<_>>>();
    let Some((sizes, bytes)) = sizes.and_then(|sizes| dtype.bytes(&sizes).map(|bytes| (sizes, bytes))) else {
        return Err(HeaderError::new(&name, "shape", POSSIBLE_SHAPE, impossible(&shape)));
    };
    match offsets[..] {
        [begin, end] if end.checked_sub(begin) == Some(bytes) => {
            Ok(TensorInfo { name, dtype, shape: sizes, begin, end })
        }
        _ => {
            let expected = format!("two offsets {bytes} bytes apart, for {} {shape:?}", dtype.name());
            Err(HeaderError::new(&name, "data_offsets", expected, format!("{offsets:?}")))
        }
    }
}

/// Checks that the sorted tensors cover `bytes` bytes without gaps or overlaps.
fn check_offsets(tensors: &[TensorInfo], bytes: u64) -> Result<(), HeaderError> {
    let mut end = 0;
    for tensor in tensors {
        if tensor.begin != end {
            return Err(HeaderError::new(&tensor.name, "begin", end.to_string(), tensor.begin.to_string()));
        }
        end = tensor.end;
    }
    match tensors.last() {
        _ if end == bytes => Ok(()),
        Some(last) => {
            Err(HeaderError::new(&last.name, "end", format!("{bytes}, the end of the file"), end.to_string()))
        }
        None => Err(HeaderError {
            what: "header".into(),
            expected: format!("tensors of {bytes} bytes"),
            found: "none".into(),
        }),
    }
}
