//! Language models: tokenizers, windows of long texts, sampling and beam search.
//!
//! | item | what it does |
//! |---|---|
//! | [`Characters`], [`Words`], [`BytePair`] | vocabularies that turn text into tokens and back, each a [`Tokenizer`] |
//! | [`Windows`] | batches of inputs and targets from a long text, at random or in order |
//! | [`TokenFile`], [`write_tokens`] | texts larger than memory |
//! | [`Categorical`] | draws the next token: temperature, top-k, top-p |
//! | [`BeamSearch`] | finds the most probable sequence |
//!
//! A model of a text by its characters:
//!
//! ```
//! use wengert::prelude::*;
//! use wengert::text::{Categorical, Characters, Windows};
//!
//! let text = "the cat sat on the mat. the cat sat on the mat. ";
//! let vocabulary = Characters::new(text);
//! let tokens = vocabulary.encode(text)?;
//! let windows = Windows::new(&tokens, 8);
//!
//! // A bigram model: row k of the table holds the scores of the tokens that follow token k.
//! let mut rng = wengert::rng(0);
//! let mut table: Embedding = Embedding::new(vocabulary.len(), vocabulary.len(), Init::Normal(0.1), &mut rng);
//! let mut optimizer = Adam::new(0.1);
//! for _ in 0..50 {
//!     let batch = windows.sample(4, &mut rng);
//!     let tape = Tape::training(&mut rng);
//!     let scores = table.forward(&tape, batch.inputs); // [4, 8, vocabulary]
//!     let loss = scores.reshape([4 * 8, vocabulary.len()]).softmax_cross_entropy(&batch.targets);
//!     optimizer.step(&mut table, &loss.backward());
//! }
//!
//! let mut generated = vocabulary.encode("t")?;
//! for _ in 0..20 {
//!     let scores = table.forward(&Tape::inference(), generated[generated.len() - 1]);
//!     generated.push(Categorical::new(scores.value()).temperature(0.5).sample(&mut rng).item());
//! }
//! println!("{}", vocabulary.decode(&generated));
//! # Ok::<(), wengert::Error>(())
//! ```

mod beam_search;
mod byte_pair;
mod categorical;
mod characters;
mod ranking;
mod token_file;
mod tokenizer;
mod vocabulary;
mod windows;
mod words;

pub use beam_search::{Beam, BeamSearch};
pub use byte_pair::BytePair;
pub use categorical::Categorical;
pub use characters::Characters;
pub use token_file::{TokenFile, write_tokens};
pub use tokenizer::Tokenizer;
pub use windows::{Streams, Tokens, WindowBatch, Windows};
pub use words::Words;

use crate::tensor::Float;

/// Instantiates for an element type what programs call on the scores of a model.
pub(crate) fn instantiate<T: Float>() {
    categorical::instantiate::<T>();
    beam_search::instantiate::<T>();
}
