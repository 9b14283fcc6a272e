//! Files of tokens.

use crate::error::Error;
use crate::file::{self, Source, read_at};
use crate::panics;
use crate::text::windows::{Tokens, WindowBatch};
use std::borrow::Borrow;
use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The first bytes of a file.
const MAGIC: [u8; 8] = *b"\x89TOKENS\n";
/// The length of the header: the magic number, the size of the vocabulary and the number of tokens.
const HEADER: u64 = 24;

/// Writes tokens to a file for [`TokenFile`], atomically replacing an existing one. They need not be in memory together.
///
/// The file holds 8 bytes that identify the format, the size of the vocabulary and the number of tokens as 64-bit integers, and the
/// tokens as integers of 16 bits, or of 32 bits if the vocabulary has more than 65 536 tokens; all are little-endian.
///
/// # Panics
/// If a token is not less than the size of the vocabulary, or that is more than 2³².
///
/// # Errors
/// If the file cannot be written. An existing file is then left unchanged.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::{Characters, TokenFile, write_tokens};
///
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("train.tokens");
/// let text = "a text larger than memory";
/// let vocabulary = Characters::new(text);
/// write_tokens(&path, vocabulary.len(), vocabulary.encode(text)?)?;
/// assert_eq!(TokenFile::open(&path)?.len(), text.len());
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn write_tokens(
    path: impl AsRef<Path>,
    vocabulary: usize,
    tokens: impl IntoIterator<Item: Borrow<usize>>,
) -> Result<(), Error> {
    let Some(width) = width_for(vocabulary as u64) else {
        panics::option("write_tokens: vocabulary", vocabulary as f64, "at most 4294967296");
    };
    let (mut count, mut outside) = (0u64, None);
    let outcome = file::replace(path.as_ref(), |writer| {
        writer.write_all(&MAGIC)?;
        writer.write_all(&(vocabulary as u64).to_le_bytes())?;
        writer.write_all(&0u64.to_le_bytes())?;
        for token in tokens {
            let token = *token.borrow();
            if token >= vocabulary {
                outside = Some(token);
                return Err(ErrorKind::InvalidInput.into());
            }
            writer.write_all(&(token as u64).to_le_bytes()[..width])?;
            count += 1;
        }
        writer.seek(SeekFrom::Start(HEADER - 8))?;
        writer.write_all(&count.to_le_bytes())
    });
    // Here instead of in the closure, to report the caller's line.
    match outside {
        Some(token) => panics::token_out_of_range("write_tokens", token, count as usize, vocabulary),
        None => outcome,
    }
}

/// The number of bytes for a token of a vocabulary; `None` if it is too large.
fn width_for(vocabulary: u64) -> Option<usize> {
    match vocabulary {
        0..=0x1_0000 => Some(2),
        0x1_0001..=0x1_0000_0000 => Some(4),
        _ => None,
    }
}

/// A file of tokens, which is read where it is needed and may be larger than memory.
///
/// It is read by position and not mapped into memory: the system keeps what it has read in memory in either case, but access to a
/// mapped file that has become shorter kills the process, while here it is an [`Error`].
///
/// ```
/// use wengert::text::{TokenFile, Windows, write_tokens};
///
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("train.tokens");
/// write_tokens(&path, 1000, 0..1000)?;
/// let windows = Windows::new(TokenFile::open(&path)?, 4);
/// let batch = windows.sample(2, &mut wengert::rng(0))?; // a Result, unlike that of tokens in memory
/// assert_eq!(batch.inputs.shape(), [2, 4]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    file: File,
    /// The offset of the first token.
    start: u64,
    /// The number of bytes of a token.
    width: usize,
    count: usize,
    vocabulary: u64,
}

impl TokenFile {
    /// Opens a file written by [`write_tokens`].
    ///
    /// # Errors
    /// If the file cannot be opened, is not a file of tokens, or its length does not match the number of tokens.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (file, length) = file::open(path)?;
        let mut source = Source::new(path, Box::new(&file), length, length);
        let magic = source.read_exact(8, "magic number")?;
        if magic != MAGIC {
            return Err(source.error(
                0,
                "magic number",
                &MAGIC.escape_ascii().to_string(),
                magic.escape_ascii().to_string(),
            ));
        }
        let vocabulary = read_u64(&mut source, "size of the vocabulary")?;
        let Some(width) = width_for(vocabulary) else {
            return Err(source.error(8, "size of the vocabulary", "at most 4294967296", vocabulary.to_string()));
        };
        let count = read_u64(&mut source, "number of tokens")?;
        let fits = count.checked_mul(width as u64) == Some(source.remaining());
        let Some(count) = usize::try_from(count).ok().filter(|_| fits) else {
            let expected = format!("{count} tokens of {width} bytes");
            return Err(source.error(HEADER, "tokens", &expected, format!("{} bytes", source.remaining())));
        };
        drop(source);
        Ok(TokenFile { path: path.into(), file, start: HEADER, width, count, vocabulary })
    }

    /// Opens a file that consists of tokens of a vocabulary alone, as little-endian integers of 16 bits, or of 32 bits if the vocabulary
    /// has more than 65 536 tokens: nanoGPT's `train.bin`.
    ///
    /// # Panics
    /// If the size of the vocabulary is more than 2³².
    ///
    /// # Errors
    /// If the file cannot be opened, or its length is not a multiple of that of a token.
    ///
    /// ```
    /// use wengert::text::TokenFile;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// let path = directory.path().join("train.bin");
    /// std::fs::write(&path, [7, 0, 1, 1])?;
    /// let tokens = TokenFile::open_raw(&path, 50257)?;
    /// assert_eq!(tokens.read(0, 2)?, [7, 257]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn open_raw(path: impl AsRef<Path>, vocabulary: usize) -> Result<Self, Error> {
        let Some(width) = width_for(vocabulary as u64) else {
            panics::option("TokenFile: vocabulary", vocabulary as f64, "at most 4294967296");
        };
        let path = path.as_ref();
        let (file, length) = file::open(path)?;
        let count = usize::try_from(length / width as u64).ok().filter(|_| length.is_multiple_of(width as u64));
        let Some(count) = count else {
            let expected = format!("a multiple of {width} bytes");
            return Err(Error::format(path, length, "end of the tokens", &expected, format!("{length}")));
        };
        Ok(TokenFile { path: path.into(), file, start: 0, width, count, vocabulary: vocabulary as u64 })
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of the vocabulary: every token is less.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary as usize
    }

    /// The `count` tokens from a position.
    ///
    /// # Panics
    /// If there are not that many.
    ///
    /// # Errors
    /// If the file cannot be read, has become shorter, or has a token that is not in the vocabulary.
    #[track_caller]
    pub fn read(&self, position: usize, count: usize) -> Result<Vec<usize>, Error> {
        if position.checked_add(count).is_none_or(|end| end > self.count) {
            panics::token_range(position, count, self.count);
        }
        let mut tokens = vec![0; count];
        self.read_into(position, &mut tokens)?;
        Ok(tokens)
    }

    /// Reads the tokens from a position, of which there are enough.
    fn read_into(&self, position: usize, tokens: &mut [usize]) -> Result<(), Error> {
        let offset = self.start + position as u64 * self.width as u64;
        let mut bytes = vec![0; tokens.len() * self.width];
        read_at(&self.path, &self.file, &mut bytes, offset, "tokens")?;
        for (k, (token, bytes)) in tokens.iter_mut().zip(bytes.chunks_exact(self.width)).enumerate() {
            let value = bytes.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
            if value >= self.vocabulary {
                let (at, expected) = (offset + (k * self.width) as u64, format!("less than {}", self.vocabulary));
                return Err(Error::format(&self.path, at, "token", &expected, value.to_string()));
            }
            *token = value as usize;
        }
        Ok(())
    }
}

fn read_u64(source: &mut Source, what: &str) -> Result<u64, Error> {
    let bytes = source.read_exact(8, what)?;
    Ok(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

impl Tokens for TokenFile {
    type Batch = Result<WindowBatch, Error>;

    fn count(&self) -> usize {
        self.count
    }

    fn gather(&self, starts: &[usize], length: usize, time_first: bool) -> Self::Batch {
        WindowBatch::gather(starts, length, time_first, |start, window| self.read_into(start, window))
    }
}
