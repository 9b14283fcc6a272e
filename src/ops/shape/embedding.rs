//! Embedding lookup.

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Indices, Positions, Rows, Tensor};

/// `y[k] = x[indices[k]]`; the gradient of a row is the sum over its uses, and 0 for the padding row.
pub(crate) struct Embedding {
    indices: Indices,
    rows: Rows,
    padding_idx: Option<usize>,
}

impl<T: Float> Op<T, 1> for Embedding {
    const NAME: &'static str = "embedding";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        let (chosen, rows) = self.rows.counts();
        description.field("rows", &format_args!("{chosen} of {rows}"));
        description.data("axis", Setting::Integers(vec![0])).data("indices", Setting::Indices(self.indices.clone()));
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        x.select_rows(&self.rows)
    }
    fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        if saved.put_rows(0, || self.rows.sum(gy.value(), self.padding_idx)) {
            return [None];
        }
        [Some(match self.padding_idx {
            Some(row) => {
                let axes = gy.shape().len() - self.indices.shape().len();
                gy.masked_fill(&uses_of(row, &self.indices, axes), 0.0).scatter_rows(self.rows.clone())
            }
            None => gy.scatter_rows(self.rows.clone()),
        })]
    }
}

impl<T: Float> Var<T> {
    /// Looks up rows of this table `[n, D…]`: [`Indices`] of shape `[I…]` give `[I…, D…]`.
    ///
    /// The row `padding_idx`, if given, is read like the others but gets no gradient, as in PyTorch.
    ///
    /// The gradient of a table that is a parameter or variable is a list of the rows that were read:
    /// [`Gradients::rows`](crate::Gradients::rows).
    ///
    /// # Panics
    /// If there is no axis, or an index or the padding row is out of range.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let table = tape.var([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]);
    /// let y = table.embedding([[1, 2], [1, 0]], Some(0));
    /// assert_eq!(y.shape(), [2, 2, 2]);
    /// assert_eq!(y.sum().grad(&table).value(), &tensor![[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]]);
    /// ```
    #[track_caller]
    pub fn embedding(&self, indices: impl Into<Indices>, padding_idx: Option<usize>) -> Var<T> {
        self.look_up("embedding", indices.into(), padding_idx)
    }

    #[track_caller]
    fn look_up(&self, op: &str, indices: Indices, padding_idx: Option<usize>) -> Var<T> {
        let rows = Rows::along(op, self.shape(), 0, indices.as_slice(), indices.shape());
        if let Some(row) = padding_idx.filter(|&row| row >= self.shape()[0]) {
            panics::selection_out_of_range("embedding", row as i128, 0, self.shape());
        }
        Embedding { indices, rows, padding_idx }.of([self])
    }

    /// Looks up bags of rows of this table `[n, D…]` and combines the rows of each: `[bags, D…]`. An empty bag gives 0.
    ///
    /// The gradient of a table is a list of rows, as that of [`embedding`](Var::embedding). For [`Bag::Max`], each element of it
    /// goes to the first of the largest in the bag.
    ///
    /// # Panics
    /// If there is no axis, or an index is out of range.
    ///
    /// ```
    /// # use wengert::ops::Bag;
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let table = tape.var([[1.0, 5.0], [2.0, 4.0], [3.0, 3.0]]);
    /// let bags = [vec![0, 2], vec![], vec![1, 1]];
    /// assert_eq!(table.embedding_bag(&bags, Bag::Mean).value(), &tensor![[2.0, 4.0], [0.0, 0.0], [2.0, 4.0]]);
    /// assert_eq!(table.embedding_bag(&bags, Bag::Max).value(), &tensor![[3.0, 5.0], [0.0, 0.0], [2.0, 4.0]]);
    /// ```
    #[track_caller]
    pub fn embedding_bag(&self, bags: &[impl AsRef<[usize]>], combine: Bag) -> Var<T> {
        let lengths: Vec<usize> = bags.iter().map(|bag| bag.as_ref().len()).collect();
        let indices: Vec<usize> = bags.iter().flat_map(|bag| bag.as_ref()).copied().collect();
        self.look_up("embedding_bag", indices.into(), None).combine(&lengths, combine)
    }

    /// Combines runs of rows of the given lengths.
    #[track_caller]
    #[inline(never)]
    fn combine(&self, lengths: &[usize], combine: Bag) -> Var<T> {
        let shape: Vec<usize> = [lengths.len()].iter().chain(&self.shape()[1..]).copied().collect();
        let bags = |indices: Vec<usize>| Rows::along("embedding_bag", &shape, 0, &indices, &[indices.len()]);
        if let Bag::Max = combine {
            let filled = (0..lengths.len()).filter(|&bag| lengths[bag] > 0).collect();
            return self.take(largest_of_runs(self.value(), lengths)).scatter_rows(bags(filled));
        }
        let bag_of_row = |(bag, &length): (usize, &usize)| std::iter::repeat_n(bag, length);
        let sum = self.scatter_rows(bags(lengths.iter().enumerate().flat_map(bag_of_row).collect()));
        match combine {
            Bag::Mean => {
                let factors = lengths.iter().map(|&length| T::from_f64(1.0 / length.max(1) as f64));
                let column = [lengths.len()].into_iter().chain(std::iter::repeat_n(1, self.shape().len() - 1));
                sum * Tensor::from_vec(factors.collect(), column.collect::<Vec<_>>())
            }
            _ => sum,
        }
    }
}

/// How [`embedding_bag`](Var::embedding_bag) combines the rows of a bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bag {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest value of each column.
    Max,
}

/// The positions of the largest elements of each column in runs of rows of the given lengths; empty runs have none.
fn largest_of_runs<T: Float>(x: &Tensor<T>, lengths: &[usize]) -> Positions {
    let (elements, inner) = (x.as_slice(), x.shape()[1..].iter().product::<usize>());
    let mut positions = Vec::new();
    let mut first = 0;
    for &length in lengths.iter().filter(|&&length| length > 0) {
        for column in 0..inner {
            let rows = (first..first + length).map(|row| row * inner + column);
            let larger = |a: usize, b: usize| if elements[a] >= elements[b] || elements[a].is_nan() { a } else { b };
            positions.extend(rows.reduce(larger));
        }
        first += length;
    }
    let runs = lengths.iter().filter(|&&length| length > 0).count();
    Positions::flat(positions, [runs].iter().chain(&x.shape()[1..]).copied().collect(), x.dims())
}

/// 1 where an index is that of the row and 0 elsewhere, with a new axis of size 1 for each axis of a row.
pub(crate) fn uses_of<T: Float>(row: usize, indices: &Indices, axes: usize) -> Tensor<T> {
    let uses = indices.as_slice().iter().map(|&index| if index == row { T::ONE } else { T::ZERO });
    let shape: Vec<usize> = indices.shape().iter().copied().chain(std::iter::repeat_n(1, axes)).collect();
    Tensor::from_vec(uses.collect(), shape)
}
