//! Sums over shards in an order that does not depend on who computes which part.

/// The sum over some neighboring shards: those from `index · 2^level` up to the next multiple of `2^level`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<V> {
    pub(crate) level: u32,
    pub(crate) index: usize,
    pub(crate) value: V,
}

impl<V> Node<V> {
    /// A single shard.
    pub(crate) fn leaf(index: usize, value: V) -> Self {
        Node { level: 0, index, value }
    }

    /// Another value for the same shards.
    pub(crate) fn with<W>(&self, value: W) -> Node<W> {
        Node { level: self.level, index: self.index, value }
    }

    /// The same sum as high in the tree as its shards allow: the last node of a level with an odd number has no neighbor to add.
    fn raised(mut self, count: usize) -> Self {
        while (1 << self.level) < count && self.index.is_multiple_of(2) && (self.index + 1) << self.level >= count {
            (self.level, self.index) = (self.level + 1, self.index / 2);
        }
        self
    }
}

/// Adds up parts of a sum over `count` shards as far as the parts reach: neighbors in pairs, shards 0 and 1, 2 and 3, …, then those
/// sums in the same way. The parts are in the order of their shards; if they cover all shards, one node is left.
///
/// Which sums are formed depends on `count` alone. Whoever has a block of shards can form those within it and pass them on.
pub(crate) fn reduce<V>(
    parts: impl IntoIterator<Item = Node<V>>,
    count: usize,
    mut add: impl FnMut(V, V) -> V,
) -> Vec<Node<V>> {
    let mut sums: Vec<Node<V>> = Vec::new();
    for part in parts {
        let mut node = part.raised(count);
        let is_left_of = |left: &mut Node<V>, right: &Node<V>| {
            left.level == right.level && left.index.is_multiple_of(2) && left.index + 1 == right.index
        };
        while let Some(left) = sums.pop_if(|left| is_left_of(left, &node)) {
            let (level, index) = (node.level + 1, node.index / 2);
            node = Node { level, index, value: add(left.value, node.value) }.raised(count);
        }
        sums.push(node);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::{Node, reduce};

    fn join(a: String, b: String) -> String {
        format!("({a}{b})")
    }

    /// The sums over the shards of a block, each written with parentheses.
    fn sums(block: std::ops::Range<usize>, count: usize) -> Vec<Node<String>> {
        reduce(block.map(|shard| Node::leaf(shard, shard.to_string())), count, join)
    }

    #[test]
    fn neighbors_are_added_in_pairs() {
        let whole = |count| sums(0..count, count).pop().map(|node| node.value);
        assert_eq!(whole(0), None);
        assert_eq!(whole(1).unwrap(), "0");
        assert_eq!(whole(4).unwrap(), "((01)(23))");
        assert_eq!(whole(7).unwrap(), "(((01)(23))((45)6))");
        let values: Vec<String> = sums(3..6, 8).into_iter().map(|node| node.value).collect();
        assert_eq!(values, ["3", "(45)"]);
    }

    #[test]
    fn any_division_into_blocks_gives_the_same_sum() {
        for count in 1..40 {
            let whole = sums(0..count, count);
            assert_eq!(whole.len(), 1);
            for blocks in 1..=count + 2 {
                let bound = |k: usize| k * count / blocks;
                let parts = (0..blocks).flat_map(|k| sums(bound(k)..bound(k + 1), count));
                assert_eq!(reduce(parts, count, join), whole, "{count} shards in {blocks} blocks");
            }
        }
    }
}
