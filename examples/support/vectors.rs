//! Word vectors compared by the cosine of their angle.

use crate::support::corpus::{Corpus, Group};
use wengert::metrics::Mean;
use wengert::prelude::*;

/// Number of the most frequent words that count as contexts for [`Vectors::ppmi`].
const CONTEXTS: usize = 2000;
/// Exponent of context frequencies, as for the negative samples.
const SMOOTHING: f64 = 0.75;

/// A vector for each word: the rows `[words, d]`, of length 1 or 0.
pub struct Vectors {
    pub rows: Tensor,
}

impl Vectors {
    pub fn new(rows: &Tensor) -> Self {
        let lengths = rows.norm_over(2.0, keepdim(1)).map(|length| length.max(1e-12));
        Vectors { rows: rows / lengths }
    }

    /// Positive pointwise mutual information, `max(0, ln (P(w, c) / (P(w) P(c))))`, of words w and contexts c: vectors without
    /// training (Bullinaria and Levy 2007; Levy, Goldberg and Dagan 2015). A context at distance d counts `(reach + 1 − d) / reach`
    /// times: the probability that a window of random width up to `reach` contains it.
    pub fn ppmi(corpus: &Corpus, reach: usize) -> Self {
        let words = corpus.vocabulary.words().len();
        let contexts = words.min(CONTEXTS);
        let mut counts = Tensor::zeros([words, contexts]);
        let pairs = counts.as_mut_slice();
        for passage in &corpus.train {
            for (at, &word) in passage.iter().enumerate() {
                for (distance, &context) in (1..=reach).zip(&passage[at + 1..]) {
                    let weight = (reach + 1 - distance) as f32 / reach as f32;
                    for (word, context) in [(word, context), (context, word)] {
                        if context < contexts {
                            pairs[word * contexts + context] += weight;
                        }
                    }
                }
            }
        }
        let of_words = counts.sum_over(keepdim(1));
        let of_contexts = counts.sum_over(keepdim(0)).map(|count: f32| count.powf(SMOOTHING as f32));
        let total = of_contexts.sum();
        let information = (counts * total / (of_words * of_contexts)).ln();
        // Pairs that never occur have the logarithm of 0, and words that never occur that of NaN.
        Vectors::new(&information.map(|information| if information > 0.0 { information } else { 0.0 }))
    }

    /// The cosine of a word and every word.
    pub fn cosines(&self, word: usize) -> Vec<f32> {
        self.rows.matmul(&self.rows.select(0, word)).to_vec()
    }

    /// Words nearest to a word, nearest first, among `candidates` other than the word itself.
    pub fn nearest(&self, word: usize, candidates: impl Iterator<Item = usize>) -> Vec<usize> {
        let cosines = self.cosines(word);
        let mut nearest: Vec<usize> = candidates.filter(|&candidate| candidate != word).collect();
        nearest.sort_by(|&a, &b| cosines[b].total_cmp(&cosines[a]));
        nearest
    }

    /// The rank of d, from 1, among all words other than a, b and c by the cosine with `b − a + c` (Mikolov et al. 2013), and by
    /// that with c alone.
    pub fn analogy_ranks(&self, [a, b, c, d]: [usize; 4]) -> [usize; 2] {
        let [from, to, like] = [a, b, c].map(|word| self.cosines(word));
        let rank = |score: &dyn Fn(usize) -> f32| {
            let others = (1..like.len()).filter(|word| ![a, b, c, d].contains(word));
            1 + others.filter(|&word| score(word) > score(d)).count()
        };
        [rank(&|word| to[word] - from[word] + like[word]), rank(&|word| like[word])]
    }

    /// How well vectors tell groups of words apart: the fraction of a word's group among as many of its nearest words, out of the
    /// words of all groups.
    pub fn separation(&self, groups: &[Group]) -> f64 {
        let mut found = Mean::new();
        for Group { words, .. } in groups {
            for &word in words {
                let nearest = self.nearest(word, groups.iter().flat_map(|group| group.words.iter().copied()));
                nearest
                    .iter()
                    .take(words.len() - 1)
                    .for_each(|other| found.add(f64::from(u8::from(words.contains(other)))));
            }
        }
        found.value()
    }
}

/// [`Vectors::separation`] by chance.
pub fn chance(groups: &[Group]) -> f64 {
    let sizes = || groups.iter().map(|group| group.words.len() as f64);
    let others = sizes().sum::<f64>() - 1.0;
    let mut found = Mean::new();
    sizes().for_each(|size| found.add_weighted((size - 1.0) / others, size * (size - 1.0)));
    found.value()
}
