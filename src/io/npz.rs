//! The npz format, in which numpy saves several arrays under names: a zip archive of [npy files](super::npy).
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

use super::array::Array;
use super::file::{self, Source};
use super::npy;
use crate::error::{Error, Misfit};
use flate2::read::DeflateDecoder;
use rawzip::path::ZipFilePath;
use rawzip::{CompressionMethod, ErrorKind, ZipArchive, ZipArchiveEntryWayfinder, ZipArchiveWriter};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

/// How much longer than its deflated form a content can be: 258 bytes for two bits.
const LARGEST_RATIO: u64 = 1032;
/// What numpy adds to the names.
const SUFFIX: &str = ".npy";

/// Reads all arrays of a file that `numpy.savez` or `numpy.savez_compressed` wrote, or [`write()`].
///
/// # Errors
/// If the file cannot be read, is not an intact zip archive of stored and deflated entries, or an entry is not an array that
/// [`npy::read`] would read.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, Error> {
    let path = path.as_ref();
    let (file, length) = file::open(path)?;
    let broken = |error| broken(path, error);
    let archive = ZipArchive::from_file(file, &mut vec![0; rawzip::RECOMMENDED_BUFFER_SIZE]).map_err(broken)?;
    let mut arrays = BTreeMap::new();
    // Entries that share their bytes cannot make more of them than entries that do not.
    let mut left = length.saturating_mul(LARGEST_RATIO);
    for (name, place, method) in entries(path, &archive)? {
        let entry = archive.get_entry(place).map_err(broken)?;
        let content: Box<dyn Read> = match method {
            CompressionMethod::STORE => Box::new(entry.verifying_reader(entry.reader())),
            _ => Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader()))),
        };
        let mut source = Source::inside(path, format!("array {name:?}: "), content, length, left);
        arrays.insert(name, npy::decode(&mut source)?);
        left = source.left();
    }
    Ok(arrays)
}

/// Name, place and compression of each array in an archive.
type Entry = (String, ZipArchiveEntryWayfinder, CompressionMethod);

fn entries<R: rawzip::ReaderAt>(path: &Path, archive: &ZipArchive<R>) -> Result<Vec<Entry>, Error> {
    let (mut list, mut names) = (Vec::new(), BTreeSet::new());
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(|error| broken(path, error))? {
        let (bytes, method) = (entry.file_path(), entry.compression_method());
        let fault = |what: &str, expected: &str, found: String| {
            let offset = entry.central_directory_offset();
            Error::Format { path: path.into(), offset, what: what.into(), expected: expected.into(), found }
        };
        let shown = || bytes.as_bytes().escape_ascii().to_string();
        let Some(name) = std::str::from_utf8(bytes.as_bytes()).ok().and_then(|name| name.strip_suffix(SUFFIX)) else {
            return Err(fault("name of an entry", "one that ends with .npy", shown()));
        };
        if !names.insert(name.to_string()) {
            return Err(fault("name of an entry", "one that is not there before", shown()));
        }
        if ![CompressionMethod::STORE, CompressionMethod::DEFLATE].contains(&method) {
            let what = format!("array {name:?}: compression");
            return Err(fault(&what, "none (0) or deflate (8)", method.as_u16().to_string()));
        }
        list.push((name.into(), entry.wayfinder(), method));
    }
    if list.len() as u64 != archive.entries_hint() {
        let (what, expected) = ("number of entries".into(), archive.entries_hint().to_string());
        let (offset, found) = (archive.eocd_offset(), list.len().to_string());
        return Err(Error::Format { path: path.into(), offset, what, expected, found });
    }
    Ok(list)
}

/// What to say when the archive cannot be read: the system, or what the file holds.
fn broken(path: &Path, error: rawzip::Error) -> Error {
    let offset = error.eocd_offset().unwrap_or_default();
    match error.into_kind() {
        ErrorKind::IO(error) => Error::io(path)(error),
        kind => {
            let (what, expected) = ("archive".into(), "an intact zip archive".into());
            Error::Format { path: path.into(), offset, what, expected, found: kind.to_string() }
        }
    }
}

/// Writes named arrays to a file, as `numpy.savez` does, which is replaced as a whole.
///
/// # Errors
/// If the file cannot be written: then it is as it was before. If two arrays have one name, or a name is not one for a file in an
/// archive, such as `../x`.
pub fn write<N: Into<String>, A: Into<Array>>(
    arrays: impl IntoIterator<Item = (N, A)>,
    path: impl AsRef<Path>,
) -> Result<(), Error> {
    let (mut list, mut names, mut misfits) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (name, array) in arrays {
        let (name, array): (String, Array) = (name.into(), array.into());
        let in_archive = format!("{name}{SUFFIX}");
        if ZipFilePath::from_str(&in_archive).as_str() != in_archive || in_archive.len() > usize::from(u16::MAX) {
            misfits.push(Misfit::new(&name, "a name for a file in an archive", array.describe()));
        } else if !names.insert(name.clone()) {
            misfits.push(Misfit::new(&name, "one array of this name", "two of them"));
        }
        list.push((in_archive, array));
    }
    if !misfits.is_empty() {
        return Err(Error::Misfit { path: path.as_ref().into(), misfits });
    }
    file::replace(path.as_ref(), |writer| {
        let mut archive = ZipArchiveWriter::new(writer);
        for (name, array) in &list {
            let (mut entry, config) = archive.new_file(name).start().map_err(unwritten)?;
            let mut content = config.wrap(&mut entry);
            npy::encode(array, &mut content)?;
            let (_, descriptor) = content.finish().map_err(unwritten)?;
            entry.finish(descriptor).map_err(unwritten)?;
        }
        archive.finish().map(|_| ()).map_err(unwritten)
    })
}

fn unwritten(error: rawzip::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::IO(error) => error,
        kind => io::Error::other(kind.to_string()),
    }
}
