//! Faults of the world: files that are missing, truncated, or not what they should be.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};

/// A fault of the world, not of the program: what is wrong, where, what was expected and what was found.
///
/// It prints as one line, the cause included; where several things do not fit, as one more line for each.
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
    /// A line of a text file does not hold what it should.
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, counted from 1.
        line: usize,
        /// The part of the line that is at fault.
        what: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A file is intact, but does not hold what the program has a place for, or cannot hold what the program has.
    Misfit {
        /// The file.
        path: PathBuf,
        /// All that does not fit.
        misfits: Vec<Misfit>,
    },
}

/// One thing that a file and a program do not agree about, such as the shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What it is called in the file.
    pub name: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Misfit {
    pub(crate) fn new(name: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Misfit { name: name.into(), expected: expected.into(), found: found.into() }
    }
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
            Error::Line { path, line, what, expected, found } => {
                write!(f, "{path:?}: {what} in line {line}: expected {expected}, found {found}")
            }
            Error::Misfit { path, misfits } => {
                write!(f, "{path:?}: does not fit:")?;
                misfits.iter().try_for_each(|misfit| write!(f, "\n  {misfit}"))
            }
        }
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Misfit { name, expected, found } = self;
        write!(f, "{name}: expected {expected}, found {found}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Format { .. } | Error::Line { .. } | Error::Misfit { .. } => None,
        }
    }
}
