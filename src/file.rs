//! Reading untrusted files and replacing files atomically.

use crate::error::Error;
use flate2::Crc;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process;

/// Opens a regular file; also returns its length.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Error> {
    // Checked before opening, because opening a pipe can block forever.
    if !fs::metadata(path).map_err(Error::io(path))?.is_file() {
        return Err(not_regular(path));
    }
    let file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    Ok((file, length))
}

/// The content of a text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let (file, length) = open(path)?;
    let mut content = Vec::new();
    // Some special files never end, or block; their length is 0.
    file.take(length).read_to_end(&mut content).map_err(Error::io(path))?;
    String::from_utf8(content).map_err(|error| {
        let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
        Error::line(path, line, "text", "UTF-8", format!("byte {:#04x}", bad[0]))
    })
}

/// Reads bytes at an offset. The position of the file stays.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

/// Reads bytes at an offset.
#[cfg(not(unix))]
pub(crate) fn read_exact_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    use std::sync::{Mutex, PoisonError};
    // The position belongs to the file, which several threads may read.
    static SEEK_AND_READ: Mutex<()> = Mutex::new(());
    let _guard = SEEK_AND_READ.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

/// [`read_exact_at`] with an error that says what was to be read.
pub(crate) fn read_at(path: &Path, file: &File, bytes: &mut [u8], offset: u64, what: &str) -> Result<(), Error> {
    read_exact_at(file, bytes, offset).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => {
            let expected = format!("{} bytes", bytes.len());
            Error::format(path, offset, what, &expected, "the end of the file".into())
        }
        _ => Error::io(path)(error),
    })
}

fn not_regular(path: &Path) -> Error {
    Error::io(path)(io::Error::other("not a regular file"))
}

/// The content of a file or of an archive entry, decompressed.
///
/// Reads are exact, errors carry their offset, and memory is bounded by the size of the file, whatever its header
/// claims.
pub(crate) struct Source<'a> {
    path: &'a Path,
    reader: Box<dyn Read + 'a>,
    /// Names the archive entry in error messages; empty for a plain file.
    prefix: String,
    /// The number of bytes read so far.
    position: u64,
    /// The maximum number of bytes.
    limit: u64,
    /// The maximum number of bytes to allocate before they are read.
    preallocation: u64,
}

impl<'a> Source<'a> {
    /// A file, from its first byte.
    pub(crate) fn open(path: &'a Path) -> Result<Self, Error> {
        let (file, length) = open(path)?;
        Ok(Source::new(path, Box::new(file), length, length))
    }

    /// The output of `reader`, at most `limit` bytes, which come from a file of `length` bytes.
    pub(crate) fn new(path: &'a Path, reader: Box<dyn Read + 'a>, length: u64, limit: u64) -> Self {
        Source { path, reader, prefix: String::new(), position: 0, limit, preallocation: length }
    }

    /// Puts a prefix in front of error messages.
    pub(crate) fn with_prefix(self, prefix: String) -> Self {
        Source { prefix, ..self }
    }

    /// The number of bytes read so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The maximum number of bytes not yet read.
    pub(crate) fn remaining(&self) -> u64 {
        self.limit - self.position
    }

    /// The next `count` bytes; `what` names them in errors.
    pub(crate) fn read_exact(&mut self, count: u64, what: &str) -> Result<Vec<u8>, Error> {
        if count > self.remaining() {
            return Err(self.too_short(count, self.remaining(), what));
        }
        let mut bytes = Vec::with_capacity(count.min(self.preallocation) as usize);
        match self.reader.by_ref().take(count).read_to_end(&mut bytes) {
            Ok(read) if (read as u64) < count => Err(self.too_short(count, read as u64, what)),
            Ok(_) => {
                self.position += count;
                Ok(bytes)
            }
            Err(error) => Err(self.read_error(what, error)),
        }
    }

    /// Checks that the end is reached; decompressing readers verify their checksum here.
    pub(crate) fn expect_end(&mut self) -> Result<(), Error> {
        let what = "end of the data";
        match self.reader.by_ref().take(1).read_to_end(&mut Vec::new()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.error(self.position, what, "the end of the file", "more bytes".into())),
            Err(error) => Err(self.read_error(what, error)),
        }
    }

    fn too_short(&self, count: u64, available: u64, what: &str) -> Error {
        self.error(self.position, what, &format!("{count} bytes"), format!("the end of the file after {available}"))
    }

    /// An error of the operating system, or else of the decompressor.
    fn read_error(&self, what: &str, error: io::Error) -> Error {
        match error.raw_os_error() {
            Some(_) => Error::io(self.path)(error),
            None => self.error(self.position, what, "intact data", error.to_string()),
        }
    }

    /// A format error at an offset of the content.
    pub(crate) fn error(&self, offset: u64, what: &str, expected: &str, found: String) -> Error {
        Error::format(self.path, offset, &format!("{}{what}", self.prefix), expected, found)
    }
}

/// Writes to a temporary file and atomically renames it over `path`: a crash leaves either the old file or the new one. Temporary
/// files that earlier crashes left are removed.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Error> {
    let permissions = match fs::metadata(path) {
        Ok(old) if old.is_file() => Some(old.permissions()),
        Ok(_) => return Err(not_regular(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io(path)(error)),
    };
    let store = || {
        // Renaming onto a symbolic link would replace the link, not the file it points to.
        let target = follow_links(path)?;
        let directory = target.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let prefix = TempFile::prefix(&target);
        TempFile::remove_abandoned(directory, &prefix);
        let (temporary, file) = TempFile::create(directory, &prefix, permissions.is_some())?;
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        write(&mut writer)?;
        // Stays open, and locked, until it is renamed.
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        temporary.rename(&target)?;
        // Makes the rename survive a power failure. Not every system can sync a directory, so a failure is ignored.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    };
    store().map_err(Error::io(path))
}

/// Copies a file, as [`replace`] writes one.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let (mut source, _) = open(from)?;
    replace(to, |writer| io::copy(&mut source, writer).map(drop))
}

/// The path at the end of a chain of symbolic links, where there may be no file yet.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    // As many as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut target = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&target) else { return Ok(target) };
        target = target.parent().map_or(next.clone(), |directory| directory.join(next));
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A temporary file, removed on drop unless it was renamed.
///
/// Its name identifies the target and is unique. Its process holds a lock on it: a file of which another process can
/// take the lock was left by a process that no longer runs.
struct TempFile(PathBuf);

impl TempFile {
    const SUFFIX: &str = ".tmp";

    /// The beginning of the names for a target, of fixed length, because that of the target may have the maximum already.
    fn prefix(target: &Path) -> String {
        let mut checksum = Crc::new();
        checksum.update(target.file_name().unwrap_or_default().as_encoded_bytes());
        format!(".wengert-{:08x}-", checksum.sum())
    }

    /// Creates and locks a file, which other users can read unless it is `private`.
    fn create(directory: &Path, prefix: &str, private: bool) -> io::Result<(TempFile, File)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if private {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        #[cfg(not(unix))]
        let _ = private;
        loop {
            // Each state hashes differently, at random.
            let unique = RandomState::new().hash_one(process::id());
            let path = directory.join(format!("{prefix}{unique:016x}{}", Self::SUFFIX));
            match options.open(&path) {
                Ok(file) => {
                    // Where files cannot be locked, none is ever found to be abandoned.
                    let locked = file.try_lock();
                    let temporary = TempFile(path);
                    // Another process may have taken it for abandoned before it was locked.
                    if !matches!(locked, Err(TryLockError::WouldBlock)) && temporary.0.exists() {
                        return Ok((temporary, file));
                    }
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes the files for a target whose processes no longer run. Failures do not matter: the next save tries again.
    fn remove_abandoned(directory: &Path, prefix: &str) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let matches = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(Self::SUFFIX));
            // A pipe of that name must not be opened, which may block.
            if !matches || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            // For reading, because the old file may have been read-only. The lock is held until the file is gone, so that its process,
            // if it is only about to lock it, notices.
            if let Ok(file) = File::open(entry.path())
                && file.try_lock().is_ok()
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.0, target)?;
        self.0 = PathBuf::new();
        Ok(())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.0 != Path::new("") {
            // The caller reports the original error; a failed cleanup must not hide it.
            let _ = fs::remove_file(&self.0);
        }
    }
}
