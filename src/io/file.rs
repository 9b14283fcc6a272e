//! Binding from files without trusting them, and replacing files as a whole.

use crate::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process;

/// Opens a regular file; also returns its length.
pub(super) fn open(path: &Path) -> Result<(File, u64), Error> {
    // Asked first, because opening a pipe can wait forever.
    if !fs::metadata(path).map_err(Error::io(path))?.is_file() {
        return Err(not_regular(path));
    }
    let file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    Ok((file, length))
}

fn not_regular(path: &Path) -> Error {
    Error::io(path)(io::Error::other("not a regular file"))
}

/// The bytes of a file, or of one of those that an archive holds.
pub(super) struct Source<'a> {
    path: &'a Path,
    reader: Box<dyn Read + 'a>,
    /// Which one of the archive, in words; empty for a file of its own.
    place: String,
    /// How many bytes have been read.
    position: u64,
    /// How many bytes there are at most.
    limit: u64,
    /// How many bytes may be asked of the system before they were seen.
    warranted: u64,
}

impl<'a> Source<'a> {
    /// A file from its first byte.
    pub(super) fn open(path: &'a Path) -> Result<Self, Error> {
        let (file, length) = open(path)?;
        let reader = Box::new(file);
        Ok(Source { path, reader, place: String::new(), position: 0, limit: length, warranted: length })
    }

    /// One of the files in an archive of `length` bytes, which has `limit` bytes at most.
    pub(super) fn inside(path: &'a Path, place: String, reader: Box<dyn Read + 'a>, length: u64, limit: u64) -> Self {
        Source { path, reader, place, position: 0, limit, warranted: length }
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes may be left.
    pub(super) fn left(&self) -> u64 {
        self.limit - self.position
    }

    /// The next `count` bytes.
    pub(super) fn exactly(&mut self, count: u64, what: &str) -> Result<Vec<u8>, Error> {
        if count > self.left() {
            return Err(self.too_few(count, self.left(), what));
        }
        let mut bytes = Vec::with_capacity(count.min(self.warranted) as usize);
        match self.reader.by_ref().take(count).read_to_end(&mut bytes) {
            Ok(read) if (read as u64) < count => Err(self.too_few(count, read as u64, what)),
            Ok(_) => {
                self.position += count;
                Ok(bytes)
            }
            Err(error) => Err(self.unreadable(what, error)),
        }
    }

    fn too_few(&self, count: u64, left: u64, what: &str) -> Error {
        self.fault(self.position, what, &format!("{count} bytes"), format!("the end of the file after {left}"))
    }

    /// Checks that nothing follows; of a file in an archive, that its checksum is right.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        let what = "what follows the last element";
        match self.reader.by_ref().take(1).read_to_end(&mut Vec::new()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.fault(self.position, what, "the end of the file", "more bytes".into())),
            Err(error) => Err(self.unreadable(what, error)),
        }
    }

    /// What to say when the reader fails: the system, or the data that it decompresses.
    fn unreadable(&self, what: &str, error: io::Error) -> Error {
        match error.raw_os_error() {
            Some(_) => Error::io(self.path)(error),
            None => self.fault(self.position, what, "intact data", error.to_string()),
        }
    }

    /// Something at a byte of the content is not as it should be.
    pub(super) fn fault(&self, offset: u64, what: &str, expected: &str, found: String) -> Error {
        let what = format!("{}{what}", self.place);
        Error::Format { path: self.path.into(), offset, what, expected: expected.into(), found }
    }
}

/// Writes a file aside and puts it in the place of `path` once it is safely stored: whatever happens on the way, the old
/// file is there or the new one is.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Error> {
    let (target, permissions) = match fs::metadata(path) {
        // The rename must replace what a symbolic link leads to, not the link.
        Ok(old) if old.is_file() => (fs::canonicalize(path).map_err(Error::io(path))?, Some(old.permissions())),
        Ok(_) => return Err(not_regular(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => (path.to_path_buf(), None),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let store = || {
        let directory = target.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let (aside, file) = Aside::create(directory)?;
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        drop(file);
        aside.rename(&target)?;
        // So that the new name survives a power cut. Where the system does not do this for directories, nothing more can be done.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    };
    store().map_err(Error::io(path))
}

/// A temporary file beside the one that it will replace; removed when dropped.
struct Aside(PathBuf);

impl Aside {
    fn create(directory: &Path) -> io::Result<(Aside, File)> {
        let mut number = 0;
        loop {
            let path = directory.join(format!(".wengert-{}-{number}.tmp", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Aside(path), file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.0, target)?;
        self.0 = PathBuf::new();
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if self.0 != Path::new("") {
            // What led here is reported; that the remains could not be removed is not worth hiding it.
            let _ = fs::remove_file(&self.0);
        }
    }
}
