//! Recurrent layers over whole sequences, and backpropagation through time.
//!
//! The rows of a batch are independent of each other, so threads take some rows each and compute all steps of these. The
//! products with the recurrent weight, one a step, share its packed form.

mod step;

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::base::threads::{Chunks, for_each_index, num_threads};
use crate::kernel::matmul::gemm::{MIN_FMAS_PER_THREAD, Packed, gemm_packed};
use crate::kernel::matmul::product::{Accum, Matrix};
use std::ops::Range;

/// The rows of the parts that threads take begin at multiples of the rows of a tile of a matrix product.
const TILE: usize = 8;

/// What a recurrent layer computes in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// `h ← tanh(a)`.
    Tanh,
    /// `h ← max(a, 0)`.
    Relu,
    /// `c ← σ(f) c + σ(i) tanh(g)`, `h ← σ(o) tanh(c)`.
    Lstm,
    /// `h ← (1 − z) n + z h` with `n = tanh(a + r h′)`.
    Gru,
}

impl Cell {
    /// The number of gates: row blocks of the weights.
    pub(crate) fn gates(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }

    /// The number of values of the state: h, and the cell state of an LSTM.
    pub(crate) fn states(self) -> usize {
        if self == Cell::Lstm { 2 } else { 1 }
    }
}

/// The steps of a batch of sequences, packed without padding.
///
/// The sequences are in the order of their lengths, the longest first. Step t has a row for each of the first `sizes[t]`
/// sequences; the rows of all steps follow each other.
#[derive(Debug)]
pub(crate) struct Steps {
    /// Not increasing.
    sizes: Vec<usize>,
    /// The first row of each step, and the number of all rows at the end.
    offsets: Vec<usize>,
    /// The number of sequences, including those without steps.
    batch: usize,
}

impl Steps {
    /// The steps of sequences of these lengths, in descending order.
    pub(crate) fn new(lengths: &[usize]) -> Self {
        let steps = lengths.first().copied().unwrap_or(0);
        let sizes: Vec<usize> = (0..steps).map(|t| lengths.partition_point(|&length| length > t)).collect();
        let mut offsets = vec![0];
        offsets.extend(sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        }));
        Steps { sizes, offsets, batch: lengths.len() }
    }

    /// The number of steps of the longest sequence.
    pub(crate) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The number of sequences.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// The number of rows of all steps.
    pub(crate) fn rows(&self) -> usize {
        self.offsets[self.sizes.len()]
    }

    /// The rows of a step.
    pub(crate) fn rows_of(&self, step: usize) -> Range<usize> {
        self.offsets[step]..self.offsets[step + 1]
    }

    /// The steps in the order in which they are computed.
    pub(crate) fn order(&self, reverse: bool) -> impl DoubleEndedIterator<Item = usize> {
        let last = self.count().wrapping_sub(1);
        (0..self.count()).map(move |step| if reverse { last - step } else { step })
    }

    /// The rows of a step that belong to some of the sequences.
    fn part(&self, step: usize, sequences: &Range<usize>) -> Range<usize> {
        let [start, end] = [sequences.start, sequences.end].map(|k| self.offsets[step] + k.min(self.sizes[step]));
        start..end
    }

    /// Divides the sequences into parts of about equal numbers of steps.
    fn parts(&self, count: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::with_capacity(count);
        let (mut start, mut done) = (0, 0);
        for end in (TILE..self.batch).step_by(TILE).chain([self.batch]) {
            let before = done;
            done = self.sizes.iter().map(|&size| size.min(end)).sum();
            // A boundary is at the tile that is nearest to an equal share.
            let share = self.rows() * (parts.len() + 1) / count;
            if end == self.batch || parts.len() + 1 < count && done + (done - before) / 2 >= share {
                parts.push(start..end);
                start = end;
            }
        }
        parts
    }
}

/// A layer in one direction.
pub(crate) struct Unroll<'a, T: Float> {
    pub(crate) cell: Cell,
    pub(crate) steps: &'a Steps,
    /// Whether the steps are computed from the last to the first.
    pub(crate) reverse: bool,
    /// The size of h.
    pub(crate) hidden: usize,
    /// `[gates · hidden, hidden]`.
    pub(crate) weight_hh: &'a [T],
    /// The bias of the products with h in a GRU.
    pub(crate) bias_hh: Option<&'a [T]>,
}

/// What the forward pass reads and writes, for all steps or for one.
pub(crate) struct Forward<'a, T> {
    /// The products with the input and the biases, `[rows, gates · hidden]`; afterwards the activations of the gates.
    pub(crate) gates: &'a mut [T],
    /// h after each step, `[rows, hidden]`.
    pub(crate) y: &'a mut [T],
    /// h and c, `[batch, hidden]`: the initial state; afterwards the last.
    pub(crate) state: [&'a mut [T]; 2],
    /// h before each step, `[rows, hidden]`.
    pub(crate) before: &'a mut [T],
    /// c before each step of an LSTM, the product h′ of a GRU, otherwise empty.
    pub(crate) extra: &'a mut [T],
}

/// What backpropagation through time reads and writes, for all steps or for one.
pub(crate) struct Backward<'a, T> {
    /// As the forward pass left them.
    pub(crate) gates: &'a [T],
    pub(crate) before: &'a [T],
    pub(crate) extra: &'a [T],
    /// The gradient with respect to y.
    pub(crate) gy: &'a [T],
    /// The gradients with respect to the last h and c; afterwards to the initial ones.
    pub(crate) state: [&'a mut [T]; 2],
    /// The gradient with respect to the products with the input.
    pub(crate) ggates: &'a mut [T],
    /// That with respect to the products with h in a GRU, otherwise empty: the two are the same.
    pub(crate) gproducts: &'a mut [T],
}

impl<T: Float> Unroll<'_, T> {
    /// Computes all steps.
    #[inline(never)]
    pub(crate) fn forward(&self, all: Forward<T>) {
        let (size, width) = (self.hidden, self.cell.gates() * self.hidden);
        let weight = Packed::new(Matrix::new(self.weight_hh, size, width, true));
        let gates = Chunks::new(all.gates, width);
        let [y, before, extra] = [all.y, all.before, all.extra].map(|rows| Chunks::new(rows, size));
        let state = all.state.map(|rows| Chunks::new(rows, size));
        self.for_each_part(|sequences| {
            let products = if self.cell == Cell::Gru { sequences.len() * width } else { 0 };
            with_scratch(products, |products: &mut [T]| {
                for step in self.steps.order(self.reverse) {
                    let now = || self.steps.part(step, &sequences);
                    let active = || sequences.start..sequences.start + now().len();
                    // SAFETY: the rows belong to the sequences of this part, which no other part has, and every slice is
                    // borrowed once.
                    let rows = unsafe {
                        Forward {
                            gates: gates.range(now()),
                            y: y.range(now()),
                            state: [state[0].range(active()), state[1].range(active())],
                            before: before.range(now()),
                            extra: extra.range(now()),
                        }
                    };
                    self.step_forward(&weight, rows, products);
                }
            });
        });
    }

    fn step_forward(&self, weight: &Packed<T>, rows: Forward<T>, products: &mut [T]) {
        let size = self.hidden;
        let h = Matrix::new(&*rows.state[0], rows.y.len() / size, size, false);
        if self.cell == Cell::Gru {
            let products = &mut products[..rows.gates.len()];
            gemm_packed(h, weight, self.bias_hh.map_or(Accum::Replace, Accum::Bias), products);
            return step::gru(size, products, rows);
        }
        gemm_packed(h, weight, Accum::Add, rows.gates);
        match self.cell {
            Cell::Lstm => step::lstm(size, rows),
            cell => step::activation(cell == Cell::Relu, rows),
        }
    }

    /// Carries the gradients from the last step back to the first.
    #[inline(never)]
    pub(crate) fn backward(&self, all: Backward<T>) {
        let (size, width) = (self.hidden, self.cell.gates() * self.hidden);
        let weight = Packed::new(Matrix::new(self.weight_hh, width, size, false));
        let [ggates, gproducts] = [all.ggates, all.gproducts].map(|rows| Chunks::new(rows, width));
        let state = all.state.map(|rows| Chunks::new(rows, size));
        self.for_each_part(|sequences| {
            for step in self.steps.order(self.reverse).rev() {
                let now = self.steps.part(step, &sequences);
                let active = || sequences.start..sequences.start + now.len();
                let (narrow, wide) = (now.start * size..now.end * size, now.start * width..now.end * width);
                // SAFETY: the rows belong to the sequences of this part, which no other part has, and every slice is borrowed
                // once.
                let rows = unsafe {
                    Backward {
                        gates: &all.gates[wide],
                        before: &all.before[narrow.clone()],
                        extra: all.extra.get(narrow.clone()).unwrap_or_default(),
                        gy: &all.gy[narrow],
                        state: [state[0].range(active()), state[1].range(active())],
                        ggates: ggates.range(now.clone()),
                        gproducts: gproducts.range(now.clone()),
                    }
                };
                self.step_backward(&weight, rows);
            }
        });
    }

    fn step_backward(&self, weight: &Packed<T>, mut rows: Backward<T>) {
        let size = self.hidden;
        match self.cell {
            Cell::Lstm => step::lstm_backward(size, &mut rows),
            Cell::Gru => step::gru_backward(size, &mut rows),
            cell => step::activation_backward(cell == Cell::Relu, &mut rows),
        }
        let (products, accum) =
            if self.cell == Cell::Gru { (&*rows.gproducts, Accum::Add) } else { (&*rows.ggates, Accum::Replace) };
        let products = Matrix::new(products, rows.gy.len() / size, self.cell.gates() * size, false);
        gemm_packed(products, weight, accum, rows.state[0]);
    }

    /// Calls `work` with the sequences of each part, in parallel.
    fn for_each_part(&self, work: impl Fn(Range<usize>) + Sync) {
        let fmas = self.steps.rows() * self.weight_hh.len();
        let parts = self.steps.parts(num_threads().min(fmas / MIN_FMAS_PER_THREAD).max(1));
        for_each_index(parts.len(), |index| work(parts[index].clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_equal_shares_of_the_steps_and_no_sequence_twice() {
        let steps = Steps::new(&[9, 9, 4, 1, 0]);
        assert_eq!((steps.count(), steps.rows(), steps.batch()), (9, 23, 5));
        assert_eq!(steps.parts(2).len(), 1, "no more parts than tiles");
        assert_eq!(Steps::new(&[7; 50]).parts(2), [0..24, 24..50]);
        let lengths: Vec<usize> = (0..100).rev().collect();
        let steps = Steps::new(&lengths);
        for count in 1..8 {
            let parts = steps.parts(count);
            assert_eq!((parts.len(), parts[0].start, parts[count - 1].end), (count, 0, 100));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            let shares = parts.iter().map(|part| part.clone().map(|k| lengths[k]).sum::<usize>());
            assert!(shares.max() <= Some(4950 / count + 800), "{parts:?}");
        }
    }
}
