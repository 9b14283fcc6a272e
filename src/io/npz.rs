//! The npz format of numpy, for several named arrays: a zip archive of [npy files](super::npy).
//!
//! ```
//! use wengert::io::npz;
//! use wengert::prelude::*;
//!
//! # let directory = tempfile::tempdir().unwrap();
//! let path = directory.path().join("points.npz");
//! npz::write([("origin", tensor![0.0, 0.0]), ("corner", tensor![3.0, 4.0])], &path)?;
//! let arrays = npz::read(&path)?; // in Python: numpy.load("points.npz")
//! assert_eq!(arrays["corner"].tensor(), tensor![3.0, 4.0]);
//! # Ok::<(), wengert::Error>(())
//! ```

use crate::error::{Error, Mismatch};
use crate::file::{self, Source};
use crate::io::array::Array;
use crate::io::contents::WeightFile;
use crate::io::npy;
use crate::io::zip::{Archive, Entry, archive_error};
use flate2::read::DeflateDecoder;
use rawzip::path::ZipFilePath;
use rawzip::{CompressionMethod, ErrorKind, ZipArchiveWriter};
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::Path;

/// The highest compression ratio of deflate: 258 bytes from two bits.
const MAX_RATIO: u64 = 1032;
/// The suffix that numpy appends to the names.
const SUFFIX: &str = ".npy";

/// Reads all arrays of a file written by `numpy.savez`, `numpy.savez_compressed` or [`write()`].
///
/// # Errors
/// If the file cannot be read, is not an intact zip archive of stored or deflated entries, or contains an entry that
/// [`npy::read`] would not accept.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, Error> {
    let file = WeightFile::open(path.as_ref())?;
    arrays(&file, Archive::open(&file)?)
}

/// All arrays of an archive.
pub(super) fn arrays(file: &WeightFile, archive: Archive) -> Result<BTreeMap<String, Array>, Error> {
    let (path, length) = (file.path.as_path(), file.length);
    let mut arrays = BTreeMap::new();
    // One limit for all entries, so that overlapping entries cannot multiply the data.
    let mut remaining = length.saturating_mul(MAX_RATIO);
    for Entry { name, offset, wayfinder, method } in archive.entries {
        let error = |what: &str, expected: &str, found| Err(Error::format(path, offset, what, expected, found));
        let Some(name) = name.strip_suffix(SUFFIX) else {
            return error("name of an entry", "a name ending in .npy", name);
        };
        if ![CompressionMethod::STORE, CompressionMethod::DEFLATE].contains(&method) {
            let what = format!("array {name:?}: compression");
            return error(&what, "none (0) or deflate (8)", method.as_u16().to_string());
        }
        let entry = archive.content.get_entry(wayfinder).map_err(|error| archive_error(path, error))?;
        let content: Box<dyn Read> = match method {
            CompressionMethod::STORE => Box::new(entry.verifying_reader(entry.reader())),
            _ => Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader()))),
        };
        let mut source = Source::new(path, content, length, remaining).with_prefix(format!("array {name:?}: "));
        arrays.insert(name.into(), npy::decode(&mut source)?);
        remaining = source.remaining();
    }
    Ok(arrays)
}

/// Writes named arrays to a file like `numpy.savez`, atomically replacing an existing one.
///
/// # Errors
/// If the file cannot be written, two arrays have the same name, or a name is not valid for an archive entry, such as
/// `../x`. An existing file is then left unchanged.
pub fn write<N: Into<String>, A: Into<Array>>(
    arrays: impl IntoIterator<Item = (N, A)>,
    path: impl AsRef<Path>,
) -> Result<(), Error> {
    save(arrays.into_iter().map(|(name, array)| (name.into(), array.into())).collect(), path.as_ref())
}

#[inline(never)]
fn save(arrays: Vec<(String, Array)>, path: &Path) -> Result<(), Error> {
    let (mut names, mut mismatches) = (HashSet::new(), Vec::new());
    for (name, _) in &arrays {
        let entry = format!("{name}{SUFFIX}");
        if ZipFilePath::from_str(&entry).as_str() != entry || entry.len() > usize::from(u16::MAX) {
            mismatches.push(Mismatch::new(name, "a valid name for an archive entry", "an invalid or overlong path"));
        } else if !names.insert(name.clone()) {
            mismatches.push(Mismatch::new(name, "a unique name", "a duplicate"));
        }
    }
    Error::check_mismatches(path, mismatches)?;
    file::replace(path, |writer| {
        let mut archive = ZipArchiveWriter::new(writer);
        for (name, array) in &arrays {
            let (mut entry, config) = archive.new_file(format!("{name}{SUFFIX}")).start().map_err(write_error)?;
            let mut content = config.wrap(&mut entry);
            npy::encode(array, &mut content)?;
            let (_, descriptor) = content.finish().map_err(write_error)?;
            entry.finish(descriptor).map_err(write_error)?;
        }
        archive.finish().map(|_| ()).map_err(write_error)
    })
}

fn write_error(error: rawzip::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::IO(error) => error,
        kind => io::Error::other(kind.to_string()),
    }
}
