//! Files of vocabularies.

use crate::error::{Error, excerpt};
use std::path::Path;

/// Splits a text after its first line, which must be a name and a count; returns the count and the rest.
pub(super) fn after_header<'a>(path: &Path, text: &'a str, name: &str) -> Result<(usize, &'a str), Error> {
    let (header, rest) = text.split_once('\n').unwrap_or((text, ""));
    match header.strip_prefix(name).and_then(|count| count.trim().parse().ok()) {
        Some(count) => Ok((count, rest)),
        None => Err(Error::line(path, 1, "header", &format!("{name:?} and a number"), excerpt(header))),
    }
}

/// Checks that the lines of a file end where they should, after as many entries as its header states.
pub(super) fn check_end(path: &Path, text: &str, stated: Option<usize>, found: usize) -> Result<(), Error> {
    let error = |expected: &str, found: String| Err(Error::line(path, text.lines().count(), "end", expected, found));
    match stated {
        _ if !text.ends_with('\n') => error("a line break", "the end of the file".into()),
        Some(stated) if stated != found => error(&format!("{stated} entries"), found.to_string()),
        _ => Ok(()),
    }
}
