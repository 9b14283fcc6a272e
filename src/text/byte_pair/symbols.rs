//! Sequences of symbols in which neighbors are merged.

/// Two adjacent symbols.
pub(super) type Pair = (u32, u32);

/// Marks a symbol that was merged into its left neighbor.
const MERGED: u32 = u32::MAX;
/// Stands for the neighbor beyond the end of a sequence.
const NONE: usize = usize::MAX;

/// Sequences of symbols as doubly linked lists, so that a merge takes constant time. A position remains that of its symbol.
#[derive(Default)]
pub(super) struct Symbols {
    symbols: Vec<u32>,
    next: Vec<usize>,
    previous: Vec<usize>,
}

impl Symbols {
    /// Appends a sequence, which is not adjacent to the one before.
    pub(super) fn push(&mut self, sequence: impl ExactSizeIterator<Item = u32>) {
        let (start, count) = (self.symbols.len(), sequence.len());
        self.symbols.extend(sequence);
        self.next.extend((1..=count).map(|k| if k == count { NONE } else { start + k }));
        self.previous.extend((0..count).map(|k| if k == 0 { NONE } else { start + k - 1 }));
    }

    /// The number of positions.
    pub(super) fn len(&self) -> usize {
        self.symbols.len()
    }

    /// The symbol at a position and the one after it; `None` if either does not exist.
    pub(super) fn pair(&self, at: usize) -> Option<Pair> {
        let (left, right) = (self.symbols[at], *self.symbols.get(self.next[at])?);
        (left != MERGED).then_some((left, right))
    }

    /// The position of the symbol before that at a position.
    pub(super) fn previous(&self, at: usize) -> Option<usize> {
        Some(self.previous[at]).filter(|&at| at != NONE)
    }

    /// The position of the symbol after that at a position.
    pub(super) fn next(&self, at: usize) -> Option<usize> {
        Some(self.next[at]).filter(|&at| at != NONE)
    }

    /// Replaces the symbol at a position and the one after it, which exists, by a new one.
    pub(super) fn merge(&mut self, at: usize, symbol: u32) {
        let (removed, next) = (self.next[at], self.next[self.next[at]]);
        self.symbols[at] = symbol;
        self.symbols[removed] = MERGED;
        self.next[at] = next;
        if next != NONE {
            self.previous[next] = at;
        }
    }

    /// The symbols that are left.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.symbols.iter().copied().filter(|&symbol| symbol != MERGED)
    }
}
