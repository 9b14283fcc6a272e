//! Several sums in one pass: blocks in the precision of the elements, totals in double precision.

use crate::kernel::Float;
use crate::kernel::reduce::reduce_lanes;

/// Terms that are summed in the precision of the elements.
const BLOCK: usize = 512;
/// Accumulators of a block: fixed, so that the result does not depend on the vector width.
const LANES: usize = 32;
/// Accumulators for the remainder of a run that does not fill all lanes.
const REMAINDER_LANES: usize = 8;

/// The sums of K terms over the pairs of elements of several runs.
#[inline(always)]
pub(crate) fn sums<'a, T: Float, const K: usize>(
    runs: impl IntoIterator<Item = (&'a [T], &'a [T])>,
    term: impl Fn(T, T) -> [T; K],
) -> [f64; K] {
    let mut totals = [0.0; K];
    let mut block = Block::EMPTY;
    let mut added = 0;
    for (a, b) in runs {
        for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
            block = block.with(a, b, &term);
            added += a.len();
            if added >= BLOCK {
                block.add_to(&mut totals);
                (block, added) = (Block::EMPTY, 0);
            }
        }
    }
    if added > 0 {
        block.add_to(&mut totals);
    }
    totals
}

/// The accumulators of a block for each term.
struct Block<T, const K: usize> {
    lanes: [[T; LANES]; K],
    /// The accumulator for single elements at the end of a run.
    last: [T; K],
}

impl<T: Float, const K: usize> Block<T, K> {
    const EMPTY: Self = Block { lanes: [[T::ZERO; LANES]; K], last: [T::ZERO; K] };

    #[inline(always)]
    fn with(self, a: &[T], b: &[T], term: &impl Fn(T, T) -> [T; K]) -> Self {
        let Block { mut lanes, mut last } = self;
        let ((whole_a, a), (whole_b, b)) = (a.as_chunks(), b.as_chunks());
        whole_a.iter().zip(whole_b).for_each(|(a, b)| add::<_, LANES, K>(a, b, term, &mut lanes));
        let ((few_a, a), (few_b, b)) = (a.as_chunks(), b.as_chunks());
        few_a.iter().zip(few_b).for_each(|(a, b)| add::<_, REMAINDER_LANES, K>(a, b, term, &mut lanes));
        for (&a, &b) in a.iter().zip(b) {
            let terms = term(a, b);
            (0..K).for_each(|k| last[k] += terms[k]);
        }
        Block { lanes, last }
    }

    /// Reduces the lanes and adds the result to the totals.
    #[inline(always)]
    fn add_to(self, totals: &mut [f64; K]) {
        for (k, lanes) in self.lanes.into_iter().enumerate() {
            totals[k] += (reduce_lanes(lanes, |low, high| low + high) + self.last[k]).to_f64();
        }
    }
}

/// Adds the terms of N pairs to the first N lanes.
#[inline(always)]
fn add<T: Float, const N: usize, const K: usize>(
    a: &[T; N],
    b: &[T; N],
    term: &impl Fn(T, T) -> [T; K],
    lanes: &mut [[T; LANES]; K],
) {
    for lane in 0..N {
        let terms = term(a[lane], b[lane]);
        (0..K).for_each(|k| lanes[k][lane] += terms[k]);
    }
}
