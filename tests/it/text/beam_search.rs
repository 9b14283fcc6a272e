//! Beam search.

use crate::support::draw::Draw;
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;
use wengert::text::{Beam, BeamSearch};

pub const PANICS: &[Panic] = &[
    ("option", || _ = BeamSearch::new(0, 1)),
    ("option", || _ = BeamSearch::new(1, 0)),
    ("option", || _ = BeamSearch::new(1, 1).length_penalty(-1.0)),
    ("beam_shape", || _ = BeamSearch::new(1, 1).run(|_| Tensor::<f32>::zeros([2, 5]))),
    ("beam_shape", || _ = BeamSearch::new(1, 1).run(|_| Tensor::<f32>::zeros([5]))),
    ("selection_out_of_range", || _ = BeamSearch::new(1, 1).end(5).run(|_| Tensor::<f32>::zeros([1, 5]))),
    ("not_a_logarithm", || _ = BeamSearch::new(1, 1).run(|_| tensor![[0.0, f32::NAN]])),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// A language of few tokens in which the next one depends on all before it.
struct Language {
    seed: u64,
    tokens: usize,
}

impl Language {
    fn after(&self, tokens: &[usize]) -> Tensor<f64> {
        let seed = tokens.iter().fold(self.seed + 1, |seed, &token| seed * 31 + token as u64 + 1);
        (Draw::new(seed).normal(&[self.tokens]) * 2.0).log_softmax(-1)
    }

    fn after_all(&self, beams: &[Beam]) -> Tensor<f64> {
        Tensor::stack(&Vec::from_iter(beams.iter().map(|beam| self.after(&beam.tokens))), 0)
    }

    /// Every sequence that ends with the token 0 or has the maximum length, with its log-probability.
    fn sequences(&self, max_length: usize) -> Vec<(Vec<usize>, f64)> {
        let (mut open, mut all) = (vec![(Vec::new(), 0.0)], Vec::new());
        while let Some((tokens, total)) = open.pop() {
            if tokens.len() == max_length || tokens.last() == Some(&0) {
                all.push((tokens, total));
                continue;
            }
            let next = self.after(&tokens);
            open.extend((0..self.tokens).map(|k| ([&tokens[..], &[k]].concat(), total + next.as_slice()[k])));
        }
        all
    }
}

fn score(total: f64, length: usize, alpha: f64) -> f64 {
    total / ((5.0 + length as f64) / 6.0).powf(alpha)
}

#[test]
fn a_wide_search_finds_the_best_of_all_sequences() {
    for seed in 0..60 {
        let mut draw = Draw::new(seed);
        let language = Language { seed, tokens: draw.size(2, 4) };
        let (max_length, alpha) = (draw.size(1, 5), [0.0, 0.6, 1.0, 3.0][draw.size(0, 3)]);
        let mut all = language.sequences(max_length);
        all.sort_by(|a, b| score(b.1, b.0.len(), alpha).total_cmp(&score(a.1, a.0.len(), alpha)));
        let search = BeamSearch::new(all.len(), max_length).end(0).length_penalty(alpha);
        let found = search.run(|beams| language.after_all(beams));
        let sequences = |found: &[Beam]| Vec::from_iter(found.iter().map(|beam| beam.tokens.clone()));
        let expected = Vec::from_iter(all.iter().map(|(tokens, _)| tokens.clone()));
        assert_eq!(sequences(&found), expected, "seed {seed}");
        assert!(found.iter().zip(&all).all(|(beam, (_, total))| (beam.log_probability - total).abs() < 1e-12));
    }
}

#[test]
fn a_search_of_width_1_is_greedy() {
    for seed in 0..40 {
        let language = Language { seed, tokens: 5 };
        let mut greedy = Vec::new();
        while greedy.len() < 8 && greedy.last() != Some(&0) {
            greedy.push(language.after(&greedy).argmax(0)[0]);
        }
        let found = BeamSearch::new(1, 8).end(0).run(|beams| language.after_all(beams));
        assert_eq!((found.len(), &found[0].tokens), (1, &greedy), "seed {seed}");
    }
}

#[test]
fn stopping_early_does_not_change_the_result() {
    for seed in 0..100 {
        let mut draw = Draw::new(seed);
        let language = Language { seed, tokens: 4 };
        let (width, alpha) = (draw.size(1, 4), [0.0, 0.7, 2.0][draw.size(0, 2)]);
        let mut steps = 0;
        let search = BeamSearch::new(width, 12).end(0).length_penalty(alpha);
        let found = search.run(|beams| {
            steps += 1;
            language.after_all(beams)
        });
        // The same search, which goes on to the maximum length.
        let mut best = Vec::new();
        let mut beams = vec![(Vec::new(), 0.0)];
        for length in 1..=12 {
            let mut next: Vec<(Vec<usize>, f64)> = Vec::new();
            for (tokens, total) in &beams {
                let after = language.after(tokens);
                next.extend((0..4).map(|k| ([&tokens[..], &[k]].concat(), total + after.as_slice()[k])));
            }
            next.sort_by(|a, b| b.1.total_cmp(&a.1));
            beams = Vec::new();
            for (tokens, total) in next {
                if beams.len() == width {
                    break;
                }
                let is_end = tokens.last() == Some(&0);
                if is_end || length == 12 {
                    best.push((score(total, length, alpha), tokens.clone()));
                }
                if !is_end {
                    beams.push((tokens, total));
                }
            }
        }
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        let expected = Vec::from_iter(best.iter().take(width).map(|(_, tokens)| tokens));
        assert_eq!(found.iter().map(|beam| &beam.tokens).collect::<Vec<_>>(), expected, "seed {seed}");
        assert!(steps <= 12);
    }
}

#[test]
fn a_state_is_arranged_by_parents() {
    let language = Language { seed: 9, tokens: 6 };
    // The state of each beam: its tokens, written as a number.
    let mut state: Tensor<f64> = Tensor::zeros([1, 1]);
    let found = BeamSearch::new(3, 5).run(|beams| {
        if !beams[0].tokens.is_empty() {
            state = state.rows(&Vec::from_iter(beams.iter().map(|beam| beam.parent)));
            let tokens = Vec::from_iter(beams.iter().map(|beam| *beam.tokens.last().unwrap() as f64));
            state = &state * 10.0 + Tensor::from_vec(tokens, [beams.len(), 1]);
        }
        let number = |beam: &Beam| beam.tokens.iter().fold(0.0, |number, &token| number * 10.0 + token as f64);
        assert_eq!(state.to_vec(), Vec::from_iter(beams.iter().map(number)));
        language.after_all(beams)
    });
    assert_eq!(found.len(), 3);
}

#[test]
fn impossible_sequences_are_not_found() {
    let certain =
        |beams: &[Beam]| Tensor::stack(&vec![tensor![f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]; beams.len()], 0);
    let found = BeamSearch::new(4, 3).run(certain);
    assert_eq!((found.len(), &found[0].tokens[..]), (1, &[1, 1, 1][..]));
}
