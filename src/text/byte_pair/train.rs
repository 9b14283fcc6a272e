//! The choice of merges.

use super::split::pieces;
use super::symbols::{Pair, Symbols};
use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

/// Where a pair occurs.
#[derive(Default)]
struct Occurrences {
    /// The number of times it occurs in the text.
    count: u64,
    /// Its positions in the distinct pieces, and others at which it no longer is.
    positions: Vec<usize>,
}

/// The distinct pieces of a text and their pairs. Counts are brought up to date with each merge.
#[derive(Default)]
struct Trainer {
    symbols: Symbols,
    /// For each position, how often its piece occurs in the text.
    weights: Vec<u64>,
    pairs: HashMap<Pair, Occurrences>,
    /// The pairs by count, the smallest tokens first in a tie. Counts may be too large: after the merge that makes the younger of its
    /// tokens, the count of a pair only falls.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

/// At most `count` merges, each of the pair that occurs most often after those before it, and at least twice. Merge k makes token
/// 256 + k.
pub(super) fn train(text: &[u8], bytes: &[u32; 256], count: usize) -> Vec<Pair> {
    let mut trainer = Trainer::new(text, bytes);
    let mut merges = Vec::new();
    while merges.len() < count
        && let Some(pair) = trainer.most_frequent()
    {
        trainer.merge(pair, 256 + merges.len() as u32);
        merges.push(pair);
    }
    merges
}

impl Trainer {
    fn new(text: &[u8], bytes: &[u32; 256]) -> Self {
        let mut counts: HashMap<&[u8], u64> = HashMap::new();
        pieces(text).for_each(|piece| *counts.entry(piece).or_default() += 1);
        let mut trainer = Trainer::default();
        // The order of the pieces is arbitrary, but neither counts nor ties depend on it.
        for (piece, count) in counts {
            trainer.symbols.push(piece.iter().map(|&byte| bytes[usize::from(byte)]));
            trainer.weights.resize(trainer.symbols.len(), count);
        }
        for at in 0..trainer.symbols.len() {
            trainer.add(at);
        }
        trainer.queue = trainer.pairs.iter().map(|(&pair, found)| (found.count, Reverse(pair))).collect();
        trainer
    }

    /// The pair that occurs most often, and at least twice.
    fn most_frequent(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            match self.pairs.get(&pair).map_or(0, |found| found.count) {
                0 | 1 => {}
                current if current < count => self.queue.push((current, Reverse(pair))),
                _ => return Some(pair),
            }
        }
        None
    }

    /// Counts the pair at a position, if there is one; returns it if it is new.
    fn add(&mut self, at: usize) -> Option<Pair> {
        let pair = self.symbols.pair(at)?;
        let entry = self.pairs.entry(pair);
        let is_new = matches!(entry, Entry::Vacant(_));
        let found = entry.or_default();
        found.count += self.weights[at];
        found.positions.push(at);
        is_new.then_some(pair)
    }

    /// Takes the pair at a position off its count, if there is one.
    fn remove(&mut self, at: usize) {
        let Some(pair) = self.symbols.pair(at) else { return };
        if let Entry::Occupied(mut found) = self.pairs.entry(pair) {
            found.get_mut().count -= self.weights[at];
            if found.get().count == 0 {
                found.remove();
            }
        }
    }

    /// Replaces every occurrence of a pair by a token, from left to right.
    fn merge(&mut self, pair: Pair, token: u32) {
        let mut positions = self.pairs.remove(&pair).map_or_else(Vec::new, |found| found.positions);
        positions.sort_unstable();
        let mut created = Vec::new();
        for at in positions {
            // The symbols may have become part of other tokens.
            if self.symbols.pair(at) != Some(pair) {
                continue;
            }
            let (left, right) = (self.symbols.previous(at), self.symbols.next(at));
            left.into_iter().chain(right).for_each(|at| self.remove(at));
            self.symbols.merge(at, token);
            created.extend(left.into_iter().chain([at]).filter_map(|at| self.add(at)));
        }
        let counted = |pair: Pair| self.pairs.get(&pair).map(|found| (found.count, Reverse(pair)));
        self.queue.extend(created.into_iter().filter_map(counted));
    }
}
