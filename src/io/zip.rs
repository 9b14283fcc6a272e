//! The directory of zip archives, which npz files and those of PyTorch are.

use crate::error::Error;
use crate::io::contents::WeightFile;
use rawzip::{CompressionMethod, ErrorKind, FileReader, ZipArchive, ZipArchiveEntryWayfinder};
use std::collections::HashSet;
use std::path::Path;

/// An entry of an archive.
pub(super) struct Entry {
    pub(super) name: String,
    /// The position in the directory, for errors.
    pub(super) offset: u64,
    pub(super) wayfinder: ZipArchiveEntryWayfinder,
    pub(super) method: CompressionMethod,
}

/// An archive and its directory.
pub(super) struct Archive {
    pub(super) content: ZipArchive<FileReader>,
    pub(super) entries: Vec<Entry>,
}

impl Archive {
    pub(super) fn open(file: &WeightFile) -> Result<Self, Error> {
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let content = ZipArchive::from_file(file.try_clone()?, &mut buffer);
        let content = content.map_err(|error| archive_error(&file.path, error))?;
        let entries = entries(&file.path, &content)?;
        Ok(Archive { content, entries })
    }
}

/// The entries of an archive, whose names must differ.
fn entries(path: &Path, archive: &ZipArchive<FileReader>) -> Result<Vec<Entry>, Error> {
    let (mut list, mut names) = (Vec::new(), HashSet::new());
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(|error| archive_error(path, error))? {
        let (offset, bytes) = (entry.central_directory_offset(), entry.file_path());
        let error = |expected: &str| {
            let shown = bytes.as_bytes().escape_ascii().to_string();
            Err(Error::format(path, offset, "name of an entry", expected, shown))
        };
        let Ok(name) = std::str::from_utf8(bytes.as_bytes()) else { return error("UTF-8") };
        if !names.insert(name.to_string()) {
            return error("a unique name");
        }
        let (wayfinder, method) = (entry.wayfinder(), entry.compression_method());
        list.push(Entry { name: name.into(), offset, wayfinder, method });
    }
    if list.len() as u64 != archive.entries_hint() {
        let (offset, expected) = (archive.eocd_offset(), archive.entries_hint().to_string());
        return Err(Error::format(path, offset, "number of entries", &expected, list.len().to_string()));
    }
    Ok(list)
}

/// An error of the operating system, or else of the format.
pub(super) fn archive_error(path: &Path, error: rawzip::Error) -> Error {
    let offset = error.eocd_offset().unwrap_or_default();
    match error.into_kind() {
        ErrorKind::IO(error) => Error::io(path)(error),
        kind => Error::format(path, offset, "archive", "an intact zip archive", kind.to_string()),
    }
}
