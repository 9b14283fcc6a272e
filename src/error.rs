//! Faults of the world: files that are missing, truncated, or not what they should be.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};

/// A fault of the world, not of the program: what is wrong, where, what was expected and what was found.
///
/// It prints as one line, the cause included.
///
/// ```
/// let error = wengert::data::idx::read("no/such/file").unwrap_err();
/// assert!(error.to_string().starts_with("\"no/such/file\": "));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The system could not do what was asked of it.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    Format {
        /// The file.
        path: PathBuf,
        /// Where in the file, or in its content if the file is compressed.
        offset: u64,
        /// The part of the file that is at fault.
        what: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl Error {
    /// Adds the path to an error of the system: `File::open(path).map_err(Error::io(path))`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        |source| Error::Io { path: path.into(), source }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "{path:?}: {source}"),
            Error::Format { path, offset, what, expected, found } => {
                write!(f, "{path:?}: {what} at byte {offset}: expected {expected}, found {found}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Format { .. } => None,
        }
    }
}
