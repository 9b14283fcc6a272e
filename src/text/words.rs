//! Words as tokens.

use crate::error::{Error, excerpt};
use crate::file;
use crate::text::Tokenizer;
use crate::text::tokenizer::check_tokens;
use crate::text::vocabulary::{after_header, check_end};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// The first word of a file.
const NAME: &str = "words";
/// The word that stands for those that are not in the vocabulary.
const UNKNOWN: &str = "<unk>";

/// A vocabulary of words, which are separated by whitespace: the unknown token `<unk>`, then the words, the most frequent first;
/// words of the same frequency are in alphabetical order.
///
/// Letters are not converted to lower case, and punctuation is part of the word that it touches. Prepare the text if it should not be
/// so; the Penn Treebank, for example, comes prepared.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::Words;
///
/// let vocabulary = Words::new("the cat and the dog and the mouse", 2);
/// assert_eq!(vocabulary.words(), ["<unk>", "the", "and"]);
/// assert_eq!(vocabulary.counts(), [3, 3, 2]);
/// assert_eq!(vocabulary.encode("and the  cat")?, [2, 1, Words::UNKNOWN]);
/// assert_eq!(vocabulary.decode(&[1, 0]), "the <unk>");
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    words: Vec<String>,
    counts: Vec<u64>,
    tokens: HashMap<String, usize>,
}

impl Words {
    /// The token of words that are not in the vocabulary.
    pub const UNKNOWN: usize = 0;

    /// The words that occur at least `min_count` times in a text.
    pub fn new(text: &str, min_count: u64) -> Self {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        text.split_whitespace().for_each(|word| *counts.entry(word).or_default() += 1);
        // A text may contain the unknown token itself.
        let mut unknown = counts.remove(UNKNOWN).unwrap_or(0);
        let mut frequent = Vec::new();
        for (word, count) in counts {
            if count < min_count {
                unknown += count;
            } else {
                frequent.push((word, count));
            }
        }
        frequent.sort_unstable_by_key(|&(word, count)| (Reverse(count), word));
        let mut vocabulary = Words { words: Vec::new(), counts: Vec::new(), tokens: HashMap::new() };
        vocabulary.add(UNKNOWN, unknown);
        frequent.into_iter().for_each(|(word, count)| _ = vocabulary.add(word, count));
        vocabulary
    }

    /// Adds a word; returns whether it is new.
    fn add(&mut self, word: &str, count: u64) -> bool {
        let token = self.words.len();
        self.words.push(word.into());
        self.counts.push(count);
        self.tokens.insert(word.into(), token).is_none()
    }

    /// The word of each token.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// How often each token occurs in the text that the vocabulary was made from.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The token of a word; `None` if the vocabulary does not have it.
    pub fn token(&self, word: &str) -> Option<usize> {
        self.tokens.get(word).copied()
    }

    /// Writes the vocabulary to a text file, atomically replacing an existing one: a line with the number of words, then a line for
    /// each word and its count.
    ///
    /// # Errors
    /// If the file cannot be written. An existing file is then left unchanged.
    ///
    /// ```
    /// use wengert::text::Words;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// let path = directory.path().join("words.txt");
    /// let vocabulary = Words::new("to be or not to be", 1);
    /// vocabulary.save(&path)?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "words 5\n<unk> 0\nbe 2\nto 2\nnot 1\nor 1\n");
    /// assert_eq!(Words::load(&path)?, vocabulary);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        file::replace(path.as_ref(), |writer| {
            writeln!(writer, "{NAME} {}", self.len())?;
            self.words.iter().zip(&self.counts).try_for_each(|(word, count)| writeln!(writer, "{word} {count}"))
        })
    }

    /// Reads a vocabulary written by [`save`](Words::save).
    ///
    /// # Errors
    /// If the file cannot be read or is malformed.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = file::read_text(path)?;
        let (count, words) = after_header(path, &text, NAME)?;
        let mut vocabulary = Words { words: Vec::new(), counts: Vec::new(), tokens: HashMap::new() };
        for (line, text) in (2..).zip(words.lines()) {
            let error = |expected: &str| Err(Error::line(path, line, "word", expected, excerpt(text)));
            let entry = text.rsplit_once(' ').and_then(|(word, count)| Some((word, count.parse().ok()?)));
            let Some((word, count)) = entry.filter(|(word, _)| word.split_whitespace().eq([*word])) else {
                return error("a word and its count");
            };
            if vocabulary.is_empty() && word != UNKNOWN {
                return error(&format!("{UNKNOWN} first"));
            }
            if !vocabulary.add(word, count) {
                return error("each word once");
            }
        }
        check_end(path, &text, Some(count), vocabulary.len())?;
        Ok(vocabulary)
    }
}

impl Tokenizer for Words {
    /// The token of each word; [`Words::UNKNOWN`] for those that are not in the vocabulary.
    fn encode(&self, text: &str) -> Result<Vec<usize>, Error> {
        Ok(text.split_whitespace().map(|word| self.token(word).unwrap_or(Words::UNKNOWN)).collect())
    }

    /// The words, separated by spaces.
    #[track_caller]
    fn decode(&self, tokens: &[usize]) -> String {
        check_tokens("decode", tokens, self.len());
        tokens.iter().map(|&token| self.words[token].as_str()).collect::<Vec<_>>().join(" ")
    }

    fn len(&self) -> usize {
        self.words.len()
    }
}
