//! The most probable of numbered candidates: higher values first, and the first of equal ones. Compiled once for both element types.

use std::cmp::Ordering;

/// Candidates: the probability of each, or its logarithm, and its number.
pub(super) type Candidates = Vec<(f64, usize)>;

fn order(a: &(f64, usize), b: &(f64, usize)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Keeps the `count` most probable candidates, in any order.
pub(super) fn select(candidates: &mut Candidates, count: usize) {
    if count < candidates.len() {
        candidates.select_nth_unstable_by(count, order);
        candidates.truncate(count);
    }
}

/// Sorts candidates, the most probable first.
pub(super) fn sort(candidates: &mut [(f64, usize)]) {
    candidates.sort_unstable_by(order);
}
