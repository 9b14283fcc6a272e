//! The layout of a batch of sequences: time first or batch first, with padding or without.

use crate::autograd::Var;
use crate::ops::Steps;
use crate::panics;
use crate::tensor::{Float, Rows};
use std::rc::Rc;

/// A batch of sequences, and how its rows are packed into [`Steps`].
pub(super) struct Batch {
    /// The steps of the longest sequence and the number of sequences.
    count: usize,
    size: usize,
    batch_first: bool,
    /// `None` if all sequences are equally long.
    order: Option<Order>,
    pub(super) steps: Rc<Steps>,
}

/// Sequences of different length in the order of their lengths.
struct Order {
    /// The sequences, the longest first, and the place of each in this order.
    sequences: Vec<usize>,
    places: Vec<usize>,
    /// The row of the batch for each row of the steps.
    rows: Vec<usize>,
}

impl Batch {
    /// The layout of `x`, `[T, N, …]` or `[N, T, …]`, whose sequences have these lengths or fill it.
    #[track_caller]
    pub(super) fn new(name: &str, shape: &[usize], batch_first: bool, lengths: Option<&[usize]>) -> Self {
        let [first, second, _] = *shape else {
            let (layout, axis) = if batch_first { ("[N, T, in]", 0) } else { ("[T, N, in]", 1) };
            panics::not_sequences(name, shape, layout, axis)
        };
        let (count, size) = if batch_first { (second, first) } else { (first, second) };
        if let Some(lengths) = lengths
            && (lengths.len() != size || lengths.iter().any(|&length| length > count))
        {
            panics::sequence_lengths(name, lengths, size, count);
        }
        let Some(lengths) = lengths.filter(|lengths| lengths.iter().any(|&length| length < count)) else {
            let steps = Rc::new(Steps::new(&vec![count; size]));
            return Batch { count, size, batch_first, order: None, steps };
        };
        let mut sequences: Vec<usize> = (0..size).collect();
        sequences.sort_by_key(|&k| std::cmp::Reverse(lengths[k]));
        let mut places = vec![0; size];
        sequences.iter().enumerate().for_each(|(place, &k)| places[k] = place);
        let row = |t: usize, k: usize| if batch_first { k * count + t } else { t * size + k };
        let mut rows = Vec::with_capacity(lengths.iter().sum());
        for t in 0..count {
            rows.extend(sequences.iter().take_while(|&&k| lengths[k] > t).map(|&k| row(t, k)));
        }
        let sorted: Vec<usize> = sequences.iter().map(|&k| lengths[k]).collect();
        let order = Some(Order { sequences, places, rows });
        Batch { count, size, batch_first, order, steps: Rc::new(Steps::new(&sorted)) }
    }

    /// The shape of the states of several cells.
    pub(super) fn state_shape(&self, cells: usize, hidden: usize) -> [usize; 3] {
        [cells, self.size, hidden]
    }

    /// The rows of all steps, without padding.
    #[track_caller]
    pub(super) fn packed<T: Float>(&self, x: &Var<T>) -> Var<T> {
        let shape = [self.count * self.size, x.shape()[2]];
        match &self.order {
            Some(order) => x.reshape(shape).index_select(0, &order.rows),
            None if self.batch_first => x.transpose(0, 1).reshape(shape),
            None => x.reshape(shape),
        }
    }

    /// The batch whose rows of all steps are `y`; the padding is 0.
    #[track_caller]
    pub(super) fn unpacked<T: Float>(&self, y: &Var<T>) -> Var<T> {
        let Batch { count, size, .. } = *self;
        let width = y.shape()[1];
        let y = match &self.order {
            Some(Order { rows, .. }) => {
                y.scatter_rows(Rows::along("unpacked", &[count * size, width], 0, rows, &[rows.len()]))
            }
            None if self.batch_first => return y.reshape([count, size, width]).transpose(0, 1),
            None => y.clone(),
        };
        let [first, second] = if self.batch_first { [size, count] } else { [count, size] };
        y.reshape([first, second, width])
    }

    /// A state `[…, N, hidden]` in the order of the steps.
    #[track_caller]
    pub(super) fn sorted<T: Float>(&self, state: &Var<T>) -> Var<T> {
        match &self.order {
            Some(order) => state.index_select(-2, &order.sequences),
            None => state.clone(),
        }
    }

    /// The inverse of [`sorted`](Self::sorted).
    #[track_caller]
    pub(super) fn unsorted<T: Float>(&self, state: &Var<T>) -> Var<T> {
        match &self.order {
            Some(order) => state.index_select(-2, &order.places),
            None => state.clone(),
        }
    }
}
