//! Characters as tokens.

use crate::error::{Error, excerpt};
use crate::file;
use crate::text::Tokenizer;
use crate::text::tokenizer::check_tokens;
use crate::text::vocabulary::after_header;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

/// The first word of a file.
const NAME: &str = "characters";

/// A vocabulary of characters (Unicode scalar values), in ascending order.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::Characters;
///
/// let vocabulary = Characters::new("hello");
/// assert_eq!(vocabulary.characters(), ['e', 'h', 'l', 'o']);
/// assert_eq!(vocabulary.encode("hole")?, [1, 3, 2, 0]);
/// assert_eq!(vocabulary.decode(&[1, 0]), "he");
/// let error = vocabulary.encode("help").unwrap_err();
/// assert_eq!(error.to_string(), "text: 'p' at character 3 is not one of the 4 characters of the vocabulary");
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Characters {
    characters: Vec<char>,
}

impl Characters {
    /// The characters that occur in a text.
    pub fn new(text: &str) -> Self {
        Characters { characters: Vec::from_iter(BTreeSet::from_iter(text.chars())) }
    }

    /// The character of each token.
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// Writes the vocabulary to a text file, atomically replacing an existing one: a line with the number of characters, then
    /// the characters.
    ///
    /// # Errors
    /// If the file cannot be written. An existing file is then left unchanged.
    ///
    /// ```
    /// use wengert::text::Characters;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// let path = directory.path().join("characters.txt");
    /// let vocabulary = Characters::new("two\nlines");
    /// vocabulary.save(&path)?;
    /// assert_eq!(Characters::load(&path)?, vocabulary);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let text: String = self.characters.iter().collect();
        file::replace(path.as_ref(), |writer| write!(writer, "{NAME} {}\n{text}", self.len()))
    }

    /// Reads a vocabulary written by [`save`](Characters::save).
    ///
    /// # Errors
    /// If the file cannot be read or is malformed.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = file::read_text(path)?;
        let (count, text) = after_header(path, &text, NAME)?;
        let vocabulary = Characters { characters: text.chars().collect() };
        if vocabulary.len() != count {
            let expected = format!("{count} characters");
            return Err(Error::line(path, 2, "vocabulary", &expected, vocabulary.len().to_string()));
        }
        if !vocabulary.characters.is_sorted_by(|a, b| a < b) {
            return Err(Error::line(path, 2, "vocabulary", "characters in ascending order", excerpt(text)));
        }
        Ok(vocabulary)
    }
}

impl Tokenizer for Characters {
    fn encode(&self, text: &str) -> Result<Vec<usize>, Error> {
        let token = |(position, character)| {
            let unknown = |_| Error::UnknownCharacter { character, position, count: self.len() };
            self.characters.binary_search(&character).map_err(unknown)
        };
        text.chars().enumerate().map(token).collect()
    }

    #[track_caller]
    fn decode(&self, tokens: &[usize]) -> String {
        check_tokens("decode", tokens, self.len());
        tokens.iter().map(|&token| self.characters[token]).collect()
    }

    fn len(&self) -> usize {
        self.characters.len()
    }
}
