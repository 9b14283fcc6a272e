//! I/O and format errors.

use std::borrow::Cow;
use std::fmt::{self, Debug, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};

/// A failure outside the program, such as a missing or malformed file: what is wrong, where, what was expected and what
/// was found.
///
/// It prints on one line, including the cause, which is therefore not its [`source`](std::error::Error::source); a list of
/// mismatches takes one more line for each of the first fifty. Long names and values from a file are shortened. `{:?}`, which `unwrap`
/// and a `main` that returns a `Result` show, prints the same.
///
/// ```
/// let error = wengert::data::idx::read("no/such/file").unwrap_err();
/// assert!(error.to_string().starts_with("\"no/such/file\": "));
/// ```
#[non_exhaustive]
pub enum Error {
    /// An I/O operation failed.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A binary file is malformed.
    Format {
        /// The file.
        path: PathBuf,
        /// The byte offset, counted in the decompressed content if the file is compressed.
        offset: u64,
        /// The malformed part.
        what: String,
        /// What was expected there.
        expected: String,
        /// What was found there.
        found: String,
    },
    /// A text file is malformed.
    Line {
        /// The file.
        path: PathBuf,
        /// The line number, starting at 1.
        line: usize,
        /// The malformed part of the line.
        what: String,
        /// What was expected there.
        expected: String,
        /// What was found there.
        found: String,
    },
    /// A text has a character that is not in a vocabulary.
    UnknownCharacter {
        /// The character.
        character: char,
        /// Its position in the text, counted in characters from 0.
        position: usize,
        /// The number of characters in the vocabulary.
        count: usize,
    },
    /// A well-formed file does not match the program's data, or the program's data cannot be stored in the file's
    /// format.
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every mismatch.
        mismatches: Vec<Mismatch>,
    },
    /// The model of another process does not match that of rank 0.
    Replica {
        /// The rank of the process.
        rank: usize,
        /// Every mismatch.
        mismatches: Vec<Mismatch>,
    },
}

/// The maximum length of a part of a message, in characters.
const MAX_PART: usize = 1000;
/// The same for a name or value in a list of mismatches.
const MAX_FIELD: usize = 300;
/// The maximum number of characters of a field or line in a message.
const MAX_EXCERPT: usize = 40;
/// The maximum number of mismatches in a message.
const MAX_MISMATCHES: usize = 50;

/// One difference between a file, or the model of another process, and what is expected, such as the shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The name of the entry in the file.
    pub name: String,
    /// What was expected under that name.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl Mismatch {
    pub(crate) fn new(name: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Mismatch { name: name.into(), expected: expected.into(), found: found.into() }
    }
}

impl Error {
    /// Adds the path to an I/O error: `File::open(path).map_err(Error::io(path))`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        |source| Error::Io { path: path.into(), source }
    }

    /// A malformed part of a text file.
    pub(crate) fn line(path: &Path, line: usize, what: &str, expected: &str, found: String) -> Error {
        Error::Line { path: path.into(), line, what: what.into(), expected: expected.into(), found }
    }

    /// A malformed part of a binary file.
    pub(crate) fn format(path: &Path, offset: u64, what: &str, expected: &str, found: String) -> Error {
        Error::Format { path: path.into(), offset, what: what.into(), expected: expected.into(), found }
    }

    /// Returns an error if there are any mismatches.
    pub(crate) fn check_mismatches(path: &Path, mismatches: Vec<Mismatch>) -> Result<(), Error> {
        if mismatches.is_empty() { Ok(()) } else { Err(Error::Mismatch { path: path.into(), mismatches }) }
    }
}

/// A text of a maximum length in characters: a longer one loses its middle.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= most {
        return text.into();
    }
    let (begin, end): (String, String) =
        (text.chars().take(most / 2).collect(), text.chars().skip(count - most / 2).collect());
    format!("{begin} … {end}").into()
}

/// The beginning of a text from a file, in quotes, with control characters escaped.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{:?} …", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The description of a malformed part.
fn write_part(f: &mut Formatter, place: &str, part: [&String; 3], most: usize) -> fmt::Result {
    let [what, expected, found] = part.map(|text| shortened(text, most));
    write!(f, "{what}{place}: expected {expected}, found {found}")
}

/// A line for each of the first mismatches.
fn write_mismatches(f: &mut Formatter, mismatches: &[Mismatch]) -> fmt::Result {
    mismatches.iter().take(MAX_MISMATCHES).try_for_each(|mismatch| write!(f, "\n  {mismatch}"))?;
    match mismatches.len().saturating_sub(MAX_MISMATCHES) {
        0 => Ok(()),
        more => write!(f, "\n  and {more} more"),
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "{path:?}: {source}"),
            Error::Format { path, offset, what, expected, found } => {
                write!(f, "{path:?}: ")?;
                write_part(f, &format!(" at byte {offset}"), [what, expected, found], MAX_PART)
            }
            Error::Line { path, line, what, expected, found } => {
                write!(f, "{path:?}: ")?;
                write_part(f, &format!(" on line {line}"), [what, expected, found], MAX_PART)
            }
            Error::UnknownCharacter { character, position, count } => {
                let vocabulary = format_args!("the {count} characters of the vocabulary");
                write!(f, "text: {character:?} at character {position} is not one of {vocabulary}")
            }
            Error::Mismatch { path, mismatches } => {
                write!(f, "{path:?}: does not match:")?;
                write_mismatches(f, mismatches)
            }
            Error::Replica { rank, mismatches } => {
                write!(f, "rank {rank}: the model does not match that of rank 0:")?;
                write_mismatches(f, mismatches)
            }
        }
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Mismatch { name, expected, found } = self;
        write_part(f, "", [name, expected, found], MAX_FIELD)
    }
}

impl std::error::Error for Error {}
