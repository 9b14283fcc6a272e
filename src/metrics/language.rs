//! Scores of language models.

use std::f64::consts::LN_2;

/// The perplexity of a mean cross-entropy in nats: `eˣ`. A model that is as uncertain as a choice among n equal tokens has
/// perplexity n.
///
/// ```
/// use wengert::metrics::perplexity;
/// use wengert::prelude::*;
///
/// let scores = Tape::inference().constant(Tensor::zeros([5, 10])); // five tokens, each among ten
/// let loss = scores.softmax_cross_entropy(&[3, 1, 4, 1, 5]);
/// assert!((perplexity(loss.item()) - 10.0).abs() < 1e-5);
/// ```
#[doc(alias = "eval_perplexity")]
#[must_use]
pub fn perplexity(cross_entropy: impl Into<f64>) -> f64 {
    cross_entropy.into().exp()
}

/// The bits per character of a mean cross-entropy in nats per character: `x / ln 2`.
///
/// ```
/// use wengert::metrics::bits_per_character;
///
/// assert_eq!(bits_per_character(256f64.ln()), 8.0);
/// ```
#[must_use]
pub fn bits_per_character(cross_entropy: impl Into<f64>) -> f64 {
    cross_entropy.into() / LN_2
}

/// The bits per byte of a text with the given numbers of tokens and bytes, from a mean cross-entropy in nats per token:
/// `x / ln 2 · tokens / bytes`. Unlike perplexity, it compares models with different vocabularies.
///
/// ```
/// use wengert::metrics::bits_per_byte;
///
/// // 250 tokens for 1000 bytes.
/// assert_eq!(bits_per_byte(256f64.ln(), 250, 1000), 2.0);
/// ```
#[must_use]
pub fn bits_per_byte(cross_entropy: impl Into<f64>, tokens: usize, bytes: usize) -> f64 {
    bits_per_character(cross_entropy) * tokens as f64 / bytes as f64
}
