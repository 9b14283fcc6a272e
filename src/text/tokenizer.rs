//! What tokenizers have in common.

use crate::error::Error;
use crate::panics;

/// A vocabulary that turns text into tokens, numbered from 0, and tokens into text.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::{BytePair, Characters, Words};
///
/// let text = "no man is an island";
/// let tokenizers: [&dyn Tokenizer; 3] = [&Characters::new(text), &Words::new(text, 1), &BytePair::train(text, 300)];
/// for tokenizer in tokenizers {
///     let tokens = tokenizer.encode(text)?;
///     assert!(tokens.iter().all(|&token| token < tokenizer.len()));
///     assert_eq!(tokenizer.decode(&tokens), text);
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait Tokenizer {
    /// The tokens of a text.
    ///
    /// # Errors
    /// If the text has a character that is not in the vocabulary of [`Characters`](super::Characters). Other tokenizers take any
    /// text.
    fn encode(&self, text: &str) -> Result<Vec<usize>, Error>;

    /// The text of a sequence of tokens.
    ///
    /// # Panics
    /// If a token is not less than [`len`](Tokenizer::len).
    fn decode(&self, tokens: &[usize]) -> String;

    /// The number of tokens in the vocabulary.
    fn len(&self) -> usize;

    /// Whether the vocabulary has no tokens.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Panics if a token is not in a vocabulary of `count`.
#[track_caller]
pub(super) fn check_tokens(op: &str, tokens: &[usize], count: usize) {
    if let Some(position) = tokens.iter().position(|&token| token >= count) {
        panics::token_out_of_range(op, tokens[position], position, count);
    }
}
