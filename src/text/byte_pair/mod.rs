//! Byte-pair encoding.

mod split;
mod symbols;
mod train;

use crate::error::{Error, excerpt};
use crate::file;
use crate::panics::check_option;
use crate::text::Tokenizer;
use crate::text::tokenizer::check_tokens;
use crate::text::vocabulary::check_end;
use split::pieces;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::Write;
use std::path::Path;
use symbols::{Pair, Symbols};

/// The start of a file.
const VERSION: &str = "#version: 0.2";

/// Byte-pair encoding (Sennrich et al. 2016) over bytes, as in GPT-2 (Radford et al. 2019): tokens are the 256 bytes and frequent
/// sequences of bytes within words.
///
/// It encodes any text, and decoding restores every byte. Text is first divided into words, numbers, punctuation and whitespace by
/// the rules of GPT-2. Within each, the pair of tokens that was merged first in training is merged first.
///
/// Tokens are numbered as in GPT-2: the bytes that are printable characters, the other bytes, and the merges in order. The file
/// format is that of its `merges.txt`, so its vocabulary, and others of its kind, can be [loaded](BytePair::load).
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::BytePair;
///
/// let tokenizer = BytePair::train("low low low lowest newest widest", 261);
/// let tokens = tokenizer.encode("slowest 新")?;
/// let pieces: Vec<&[u8]> = tokens.iter().map(|&token| tokenizer.bytes(token)).collect();
/// assert_eq!(pieces, [&b"s"[..], b"low", b"est", b" ", b"\xe6", b"\x96", b"\xb0"]);
/// assert_eq!(tokenizer.decode(&tokens), "slowest 新");
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytePair {
    /// The bytes of each token.
    tokens: Vec<Box<[u8]>>,
    /// The token of each byte.
    bytes: [u32; 256],
    /// The two tokens merged into each token after the bytes.
    merges: Vec<Pair>,
    /// The token that each pair is merged into; those merged first are the smallest.
    merged: HashMap<Pair, u32>,
}

impl BytePair {
    /// Learns a vocabulary of `size` tokens from a text (a `&str`, or any bytes): merges the pair of tokens that occurs most often,
    /// again and again. Of pairs that occur equally often, the one of the smallest tokens is merged.
    ///
    /// The vocabulary is smaller than `size` if no pair is left that occurs twice.
    ///
    /// # Panics
    /// If the size is less than 256, the number of bytes.
    #[doc(alias("BPE", "tiktoken"))]
    #[track_caller]
    pub fn train(text: impl AsRef<[u8]>, size: usize) -> Self {
        check_option("BytePair: size", size as f64, 256.0..);
        let mut tokenizer = BytePair::of_bytes();
        for pair in train::train(text.as_ref(), &tokenizer.bytes, size - 256) {
            tokenizer.add(pair);
        }
        tokenizer
    }

    /// A vocabulary of the bytes alone.
    fn of_bytes() -> Self {
        let mut bytes = [0; 256];
        let order = byte_order();
        (0..).zip(order).for_each(|(token, (byte, _))| bytes[usize::from(byte)] = token);
        let tokens = order.iter().map(|&(byte, _)| [byte].into()).collect();
        BytePair { tokens, bytes, merges: Vec::new(), merged: HashMap::new() }
    }

    /// Adds the token that a pair is merged into.
    fn add(&mut self, pair: Pair) {
        self.merged.insert(pair, self.tokens.len() as u32);
        self.tokens.push([self.bytes(pair.0 as usize), self.bytes(pair.1 as usize)].concat().into());
        self.merges.push(pair);
    }

    /// The bytes of a token, which need not be valid UTF-8 by themselves.
    ///
    /// # Panics
    /// If the token is not less than the size of the vocabulary.
    #[track_caller]
    pub fn bytes(&self, token: usize) -> &[u8] {
        check_tokens("bytes", &[token], self.tokens.len());
        &self.tokens[token]
    }

    /// The tokens of any bytes. [`decode_bytes`](BytePair::decode_bytes) restores them exactly.
    ///
    /// ```
    /// use wengert::text::BytePair;
    ///
    /// let tokenizer = BytePair::train("banana", 258);
    /// let tokens = tokenizer.encode_bytes(b"\xffbanana");
    /// assert_eq!(tokens.len(), 5); // 0xff, b, an, an, a
    /// assert_eq!(tokenizer.decode_bytes(&tokens), b"\xffbanana");
    /// ```
    pub fn encode_bytes(&self, text: &[u8]) -> Vec<usize> {
        let mut known: HashMap<&[u8], Vec<usize>> = HashMap::new();
        let mut tokens = Vec::new();
        for piece in pieces(text) {
            tokens.extend_from_slice(known.entry(piece).or_insert_with(|| self.encode_piece(piece)));
        }
        tokens
    }

    /// The bytes of a sequence of tokens.
    ///
    /// # Panics
    /// If a token is not less than the size of the vocabulary.
    #[track_caller]
    pub fn decode_bytes(&self, tokens: &[usize]) -> Vec<u8> {
        check_tokens("decode", tokens, self.tokens.len());
        tokens.iter().flat_map(|&token| &self.tokens[token]).copied().collect()
    }

    /// Merges the pairs within a piece, those that were merged first in training first, and those on the left first.
    fn encode_piece(&self, piece: &[u8]) -> Vec<usize> {
        let mut symbols = Symbols::default();
        symbols.push(piece.iter().map(|&byte| self.bytes[usize::from(byte)]));
        let candidate = |symbols: &Symbols, at| Some(Reverse((*self.merged.get(&symbols.pair(at)?)?, at)));
        let mut queue: BinaryHeap<_> = (0..symbols.len()).filter_map(|at| candidate(&symbols, at)).collect();
        while let Some(next) = queue.pop() {
            let Reverse((token, at)) = next;
            // A merge on either side may have taken one of the two symbols.
            if candidate(&symbols, at) != Some(next) {
                continue;
            }
            symbols.merge(at, token);
            queue.extend(symbols.previous(at).into_iter().chain([at]).filter_map(|at| candidate(&symbols, at)));
        }
        symbols.iter().map(|symbol| symbol as usize).collect()
    }

    /// Writes the merges to a text file, atomically replacing an existing one.
    ///
    /// The format is that of GPT-2's `merges.txt`: a line with the version, then a line for each merge with its two tokens, in which
    /// bytes that are not printable are written as other characters, such as `Ġ` for a space.
    ///
    /// # Errors
    /// If the file cannot be written. An existing file is then left unchanged.
    ///
    /// ```
    /// use wengert::text::BytePair;
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// let path = directory.path().join("merges.txt");
    /// let tokenizer = BytePair::train("so so good, so good", 259);
    /// tokenizer.save(&path)?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "#version: 0.2 - 3 merges\ns o\ng o\no d\n");
    /// assert_eq!(BytePair::load(&path)?, tokenizer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let order = byte_order();
        let text = |token: u32| {
            let bytes = self.tokens[token as usize].iter();
            bytes.map(|&byte| order[self.bytes[usize::from(byte)] as usize].1).collect::<String>()
        };
        file::replace(path.as_ref(), |writer| {
            writeln!(writer, "{VERSION} - {} merges", self.merges.len())?;
            self.merges.iter().try_for_each(|&(left, right)| writeln!(writer, "{} {}", text(left), text(right)))
        })
    }

    /// Reads the merges from a file written by [`save`](BytePair::save), or the `merges.txt` of GPT-2 and others of its kind.
    ///
    /// GPT-2's token `<|endoftext|>` is not a merge; its number is the size of this vocabulary.
    ///
    /// # Errors
    /// If the file cannot be read or is malformed.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = file::read_text(path)?;
        let header = text.lines().next().unwrap_or_default();
        if !header.starts_with("#version") {
            return Err(Error::line(path, 1, "header", VERSION, excerpt(header)));
        }
        let mut tokenizer = BytePair::of_bytes();
        let symbols = (0..).zip(byte_order()).map(|(token, (_, symbol))| (symbol.to_string(), token));
        // A sequence of bytes results from one merge only, so tokens can be identified by their text.
        let mut tokens: HashMap<String, u32> = symbols.collect();
        for (line, text) in (2..).zip(text.lines().skip(1)) {
            let error = |expected: &str| Err(Error::line(path, line, "merge", expected, excerpt(text)));
            let pair = text.split_once(' ').and_then(|(left, right)| Some((*tokens.get(left)?, *tokens.get(right)?)));
            let Some(pair) = pair else {
                return error("two tokens of the lines before, separated by a space");
            };
            if tokens.insert(text.replace(' ', ""), tokenizer.tokens.len() as u32).is_some() {
                return error("two tokens whose merge is new");
            }
            tokenizer.add(pair);
        }
        let stated = header.strip_suffix(" merges").and_then(|start| start.rsplit(' ').next()?.parse().ok());
        check_end(path, &text, stated, tokenizer.merges.len())?;
        Ok(tokenizer)
    }
}

impl Tokenizer for BytePair {
    fn encode(&self, text: &str) -> Result<Vec<usize>, Error> {
        Ok(self.encode_bytes(text.as_bytes()))
    }

    /// The text of the tokens, in which bytes that are not valid UTF-8 are replaced by `�`.
    #[track_caller]
    fn decode(&self, tokens: &[usize]) -> String {
        String::from_utf8_lossy(&self.decode_bytes(tokens)).into_owned()
    }

    fn len(&self) -> usize {
        self.tokens.len()
    }
}

/// The bytes in the order of GPT-2's vocabulary, and the character that stands for each in a file: the printable characters of
/// Latin-1 stand for themselves, and those from U+0100 for the other bytes.
fn byte_order() -> [(u8, char); 256] {
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..);
    let printable = (0..=255).filter(is_printable).map(|byte| (byte, char::from(byte)));
    let others = (0..=255).filter(|byte| !is_printable(byte)).zip('\u{100}'..);
    let mut order = printable.chain(others);
    [(); 256].map(|()| order.next().expect("each byte is printable or not"))
}
