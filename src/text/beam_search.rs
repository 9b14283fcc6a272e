//! Beam search.

use crate::panics::{self, check_option};
use crate::tensor::{Float, Tensor};
use crate::text::categorical::check_logarithms;
use crate::text::ranking;
use std::hint::black_box;

/// A sequence found by [`BeamSearch`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Beam {
    /// The tokens, with the end token if it was reached.
    pub tokens: Vec<usize>,
    /// The sum of the log-probabilities of the tokens.
    pub log_probability: f64,
    /// The position of the sequence that this one continues among the beams of the previous step, where a recurrent network has its state.
    pub parent: usize,
}

/// Beam search: keeps the `width` most probable sequences, and extends each by every token.
///
/// Results are ordered by `ln p / ((5 + length) / 6)ᵅ` (Wu et al. 2016), where α is the length penalty: 0 prefers short sequences, and
/// larger values longer ones. With a width of 1 the search is greedy. It is exact if the width is at least the number of all
/// sequences.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::BeamSearch;
///
/// // The most probable first token, 0, is followed by three tokens that are all improbable.
/// let first = tensor![[0.5, 0.4, 0.1]].ln();
/// let after = |token: usize| if token == 1 { [0.05, 0.05, 0.9] } else { [0.4, 0.3, 0.3] };
/// let scores = |beams: &[wengert::text::Beam]| match beams[0].tokens.len() {
///     0 => first.clone(),
///     _ => Tensor::stack(&Vec::from_iter(beams.iter().map(|beam| Tensor::from(after(beam.tokens[0])).ln())), 0),
/// };
/// let greedy = BeamSearch::new(1, 2).run(scores);
/// let best = BeamSearch::new(2, 2).run(scores);
/// assert_eq!((&greedy[0].tokens[..], &best[0].tokens[..]), (&[0, 0][..], &[1, 2][..]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct BeamSearch {
    width: usize,
    max_length: usize,
    end: Option<usize>,
    length_penalty: f64,
}

impl BeamSearch {
    /// A search with `width` beams for sequences of at most `max_length` tokens, without an end token or a length penalty.
    ///
    /// # Panics
    /// If the width or the length is 0.
    #[track_caller]
    pub fn new(width: usize, max_length: usize) -> Self {
        check_option("BeamSearch: width", width as f64, 1.0..);
        check_option("BeamSearch: max_length", max_length as f64, 1.0..);
        BeamSearch { width, max_length, end: None, length_penalty: 0.0 }
    }

    /// Sets the token that ends a sequence.
    pub fn end(self, token: usize) -> Self {
        BeamSearch { end: Some(token), ..self }
    }

    /// Sets the exponent α of the length penalty; Wu et al. use 0.6 to 0.7.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn length_penalty(self, alpha: f64) -> Self {
        BeamSearch { length_penalty: check_option("length_penalty", alpha, 0.0..), ..self }
    }

    /// Runs the search; returns at most `width` sequences, the best first.
    ///
    /// `next` returns the log-probabilities of the next token for each of the sequences that it is given, `[beams, K]`. The first
    /// time it is given one sequence without tokens. A recurrent network arranges its state for the sequences with
    /// `state.rows(&parents)`, from their [`parent`](Beam::parent)s.
    ///
    /// # Panics
    /// If the log-probabilities have another shape, one of them is NaN or ∞, or the end token is not among the K.
    #[track_caller]
    pub fn run<T: Float>(&self, mut next: impl FnMut(&[Beam]) -> Tensor<T>) -> Vec<Beam> {
        let mut finished = Vec::new();
        let mut beams = vec![Beam { tokens: Vec::new(), log_probability: 0.0, parent: 0 }];
        while !self.is_complete(&beams, &finished) {
            let log_probabilities = next(&beams);
            beams = self.step(&beams, &log_probabilities, &mut finished);
        }
        finished.extend(beams);
        self.sort(&mut finished);
        finished
    }

    /// Extends the beams by one token; moves those that end to `finished`.
    #[track_caller]
    #[inline(never)]
    fn step<T: Float>(&self, beams: &[Beam], log_probabilities: &Tensor<T>, finished: &mut Vec<Beam>) -> Vec<Beam> {
        let k = match *log_probabilities.shape() {
            [count, k] if count == beams.len() => k,
            _ => panics::beam_shape(log_probabilities.shape(), beams.len()),
        };
        if let Some(end) = self.end.filter(|&end| end >= k) {
            panics::selection_out_of_range("BeamSearch", end as i128, 1, log_probabilities.shape());
        }
        check_logarithms("BeamSearch", "log-probabilities", log_probabilities);
        let totals =
            log_probabilities.iter().enumerate().map(|(at, &x)| (beams[at / k].log_probability + x.to_f64(), at));
        let mut candidates: Vec<(f64, usize)> = totals.filter(|&(total, _)| total > f64::NEG_INFINITY).collect();
        // Each beam has one continuation that ends, so these contain enough that do not.
        ranking::select(&mut candidates, self.width.saturating_add(beams.len()));
        ranking::sort(&mut candidates);
        let mut extended = Vec::new();
        for (log_probability, at) in candidates {
            if extended.len() == self.width {
                break;
            }
            let (parent, token) = (at / k, at % k);
            let tokens = [&beams[parent].tokens[..], &[token]].concat();
            let list = if self.end == Some(token) { &mut *finished } else { &mut extended };
            list.push(Beam { tokens, log_probability, parent });
        }
        self.sort(finished);
        extended
    }

    /// Whether no continuation of the beams can be one of the results.
    fn is_complete(&self, beams: &[Beam], finished: &[Beam]) -> bool {
        let Some(best) = beams.first() else { return true };
        // Further tokens only make a sequence less probable, so it scores best if it has the maximum length already.
        let bound = self.score(best.log_probability, self.max_length);
        let worst = finished.get(self.width - 1).map(|beam| self.score(beam.log_probability, beam.tokens.len()));
        best.tokens.len() == self.max_length || worst.is_some_and(|worst| worst >= bound)
    }

    /// Sorts sequences by their score and keeps the best.
    fn sort(&self, beams: &mut Vec<Beam>) {
        let score = |beam: &Beam| self.score(beam.log_probability, beam.tokens.len());
        beams.sort_by(|a, b| score(b).total_cmp(&score(a)));
        beams.truncate(self.width);
    }

    fn score(&self, log_probability: f64, length: usize) -> f64 {
        log_probability / ((5.0 + length as f64) / 6.0).powf(self.length_penalty)
    }
}

/// Instantiates a step for an element type.
pub(super) fn instantiate<T: Float>() {
    type Step<T> = fn(&BeamSearch, &[Beam], &Tensor<T>, &mut Vec<Beam>) -> Vec<Beam>;
    black_box(BeamSearch::step::<T> as Step<T>);
}
