//! A text as words, and the words in it to look at.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use wengert::prelude::*;
use wengert::text::Words;

/// Number of words in a passage; contexts do not reach beyond it.
const PASSAGE: usize = 1000;
/// One passage in so many is for testing.
const TEST_EVERY: usize = 10;
/// Words that occur less often are left out.
const MIN_COUNT: u64 = 5;

/// Words of this crate's sources whose neighbors are listed.
const QUERIES: [&str; 8] = ["gradient", "adam", "rows", "tanh", "f32", "file", "stride", "tokens"];
/// Words of this crate's sources that belong together: the task to evaluate vectors on.
const GROUPS: [(&str, &[&str]); 7] = [
    ("optimizers", &["adam", "sgd", "momentum", "decay", "betas", "rms", "lion", "schedule"]),
    ("number types", &["f32", "f64", "usize", "isize", "u8", "u32", "u64", "i32", "i64", "bool"]),
    ("functions", &["exp", "ln", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "gelu", "erf"]),
    ("convolution", &["stride", "padding", "dilation", "channels", "kernel", "pool", "window", "conv"]),
    ("files", &["file", "path", "bytes", "header", "directory", "archive", "safetensors", "npy"]),
    ("linear algebra", &["matrix", "lu", "pivots", "singular", "triangular", "inverse", "diagonal", "solve"]),
    ("text", &["tokens", "words", "vocabulary", "characters", "merges", "text", "tokenizer", "beam"]),
];
/// Analogies a : b :: c : d. Those whose words are not all in the vocabulary are skipped.
pub const ANALOGIES: [[&str; 4]; 8] = [
    ["row", "rows", "column", "columns"],
    ["rows", "columns", "row", "column"],
    ["tensor", "tensors", "matrix", "matrices"],
    ["min", "max", "smallest", "largest"],
    ["read", "load", "write", "save"],
    ["encode", "decode", "read", "write"],
    ["man", "king", "woman", "queen"],
    ["he", "his", "she", "her"],
];

/// Words that belong together.
pub struct Group {
    pub name: String,
    pub words: Vec<usize>,
}

pub struct Corpus {
    pub vocabulary: Words,
    /// The tokens of passages, without those of rare words.
    pub train: Vec<Vec<usize>>,
    pub test: Vec<Vec<usize>>,
    /// Words whose neighbors are listed.
    pub queries: Vec<usize>,
    /// Those of this crate's sources; none for another text.
    pub groups: Vec<Group>,
}

impl Corpus {
    /// Reads a file, or the sources and the guide of this crate.
    pub fn read(path: Option<&PathBuf>, queries: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let text = match path {
            Some(path) => fs::read_to_string(path).map_err(|error| format!("{path:?}: {error}"))?,
            None => sources()?,
        };
        let text = words(&text);
        let vocabulary = Words::new(&text, MIN_COUNT);
        let mut tokens = vocabulary.encode(&text)?;
        tokens.retain(|&token| token != Words::UNKNOWN);
        if tokens.len() < TEST_EVERY * PASSAGE {
            return Err(format!("expected at least {} words, found {}", TEST_EVERY * PASSAGE, tokens.len()).into());
        }
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (k, passage) in tokens.chunks(PASSAGE).enumerate() {
            let part = if k % TEST_EVERY == TEST_EVERY - 1 { &mut test } else { &mut train };
            part.push(passage.to_vec());
        }
        let find = |word: &str| vocabulary.token(word).ok_or_else(|| format!("{word:?} is not in the vocabulary"));
        let queries = match (queries, path) {
            (Some(words), _) => words.split(',').map(find).collect::<Result<_, _>>()?,
            (None, None) => known(&vocabulary, &QUERIES),
            // Words of medium frequency, which have enough examples and some meaning.
            (None, Some(_)) => (100..vocabulary.len().min(500)).step_by(50).collect(),
        };
        let groups = if path.is_none() { &GROUPS[..] } else { &[] };
        let groups =
            groups.iter().map(|(name, words)| Group { name: name.to_string(), words: known(&vocabulary, words) });
        Ok(Corpus { groups: groups.collect(), vocabulary, train, test, queries })
    }

    /// The tokens of words that are all in the vocabulary.
    pub fn tokens(&self, words: &[&str]) -> Option<Vec<usize>> {
        words.iter().map(|word| self.vocabulary.token(word)).collect()
    }

    pub fn word(&self, token: usize) -> &str {
        &self.vocabulary.words()[token]
    }
}

/// The tokens of those words that are in the vocabulary.
fn known(vocabulary: &Words, words: &[&str]) -> Vec<usize> {
    words.iter().filter_map(|word| vocabulary.token(word)).collect()
}

/// The sources of this crate, its guide and its README.
fn sources() -> Result<String, std::io::Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    for part in ["src", "docs/guide", "README.md"] {
        append(&root.join(part), &mut text)?;
    }
    Ok(text)
}

/// Appends a file, or all Rust and Markdown files under a directory in the order of their names.
fn append(path: &Path, text: &mut String) -> Result<(), std::io::Error> {
    if path.is_dir() {
        let mut entries =
            fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
        // Without the guide in Japanese.
        entries.retain(|entry| entry.file_stem().is_some_and(|name| name != "ja"));
        entries.sort();
        entries.iter().try_for_each(|entry| append(entry, text))?;
    } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
        *text += &fs::read_to_string(path)?;
        text.push('\n');
    }
    Ok(())
}

/// The words of a text in lower case, separated by spaces. Identifiers are split at underscores and before capitals; numbers
/// and punctuation are left out.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| run.starts_with(char::is_alphabetic)) {
        let characters: Vec<char> = run.chars().collect();
        for (k, c) in characters.iter().enumerate() {
            // The first letter, that of `Norm` in `batchNorm`, and that of `Error` in `IOError`.
            let starts = k == 0
                || c.is_uppercase()
                    && (!characters[k - 1].is_uppercase() || characters.get(k + 1).is_some_and(|c| c.is_lowercase()));
            if starts {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
        }
    }
    words
}
