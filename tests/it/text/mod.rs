//! Tokenizers, windows of texts, sampling and beam search.

mod beam_search;
mod byte_pair;
mod categorical;
mod token_file;
mod vocabularies;
mod windows;

use crate::support::panics::Panic;

pub fn panics() -> Vec<Panic> {
    [
        beam_search::PANICS,
        byte_pair::PANICS,
        categorical::PANICS,
        token_file::PANICS,
        vocabularies::PANICS,
        windows::PANICS,
    ]
    .concat()
}
