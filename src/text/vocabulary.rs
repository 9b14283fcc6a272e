//! Files of vocabularies.

use crate::error::Error;
use std::path::Path;

/// The maximum number of characters of a file in an error message.
const EXCERPT: usize = 40;

/// Splits a text after its first line, which must be a name and a count; returns the count and the rest.
pub(super) fn after_header<'a>(path: &Path, text: &'a str, name: &str) -> Result<(usize, &'a str), Error> {
    let (header, rest) = text.split_once('\n').unwrap_or((text, ""));
    match header.strip_prefix(name).and_then(|count| count.trim().parse().ok()) {
        Some(count) => Ok((count, rest)),
        None => Err(Error::line(path, 1, "header", &format!("{name} and their number"), excerpt(header))),
    }
}

/// The beginning of a text, in quotes.
pub(super) fn excerpt(text: &str) -> String {
    let start: String = text.chars().take(EXCERPT).collect();
    if start.len() < text.len() { format!("{start:?}…") } else { format!("{start:?}") }
}
