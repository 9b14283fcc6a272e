//! Tensors of which most rows are zero.

use super::{Dims, Float, Rows, Tensor};
use crate::kernel::lookup;

/// A tensor `[n, D…]` as a list of rows; all others are zero.
///
/// The gradient of a table with respect to a lookup has this form: a batch reads a few rows of many.
///
/// ```
/// use wengert::prelude::*;
///
/// let table = Param::new(Tensor::ones([1000, 2]));
/// let gradients = Tape::new().param(&table).embedding([7, 3, 7], None).sum().backward();
/// let rows = gradients.rows(&table).unwrap();
/// assert_eq!(rows.indices(), [3, 7]);
/// assert_eq!(rows.values(), &tensor![[1.0, 1.0], [2.0, 2.0]]);
/// ```
#[derive(Clone, Debug)]
pub struct SparseRows<T: Float = f32> {
    shape: Dims,
    /// Ascending.
    indices: Vec<usize>,
    /// `[indices, D…]`.
    values: Tensor<T>,
}

impl<T: Float> SparseRows<T> {
    /// Adds up the rows `values` `[indices, D…]` of a tensor of the given shape, without those of the index `skipped`.
    #[inline(never)]
    pub(crate) fn sum(shape: &[usize], indices: &[usize], values: &Tensor<T>, skipped: Option<usize>) -> Self {
        let kept = indices.iter().copied().filter(|&index| Some(index) != skipped);
        let set = IndexSet::new(shape[0], kept, indices.len());
        let distinct = set.members();
        // The skipped rows are added up behind the others.
        let place = |&index: &usize| if Some(index) == skipped { distinct.len() } else { set.rank(index) };
        let places: Vec<usize> = indices.iter().map(place).collect();
        let rows = |count: usize| -> Dims { [count].iter().chain(&shape[1..]).copied().collect() };
        let count = distinct.len() + usize::from(skipped.is_some());
        let mut sums = Tensor::zeros(rows(count).as_slice());
        lookup::index_add(values.as_slice(), &places, count, shape[1..].iter().product(), sums.as_mut_slice());
        let values = if skipped.is_some() { sums.slice(0, ..distinct.len() as isize) } else { sums };
        SparseRows { shape: Dims::from_slice(shape), indices: distinct, values }
    }

    /// The rows with the given values `[indices, D…]`; the indices are ascending.
    pub(crate) fn from_parts(shape: &[usize], indices: Vec<usize>, values: Vec<T>) -> Self {
        let rows: Dims = [indices.len()].iter().chain(&shape[1..]).copied().collect();
        SparseRows { shape: Dims::from_slice(shape), indices, values: Tensor::from_vec(values, rows.as_slice()) }
    }

    /// The sum of two lists of rows of the same shape.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let indices: Vec<usize> = self.indices.iter().chain(&other.indices).copied().collect();
        SparseRows::sum(&self.shape, &indices, &Tensor::concat(&[&self.values, &other.values], 0), None)
    }

    /// Adds the rows to a tensor of the same shape.
    pub(crate) fn add_to(&self, dense: &mut Tensor<T>) {
        let inner = self.row_size();
        lookup::index_add(self.values.as_slice(), &self.indices, self.shape[0], inner, dense.as_mut_slice());
    }

    /// The shape of the whole tensor.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The indices of the rows, ascending.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The rows, in the order of the indices: `[indices, D…]`.
    pub fn values(&self) -> &Tensor<T> {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut Tensor<T> {
        &mut self.values
    }

    /// The number of elements of a row.
    fn row_size(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// The row at an index, if it is in the list.
    pub(crate) fn row(&self, index: usize) -> Option<&[T]> {
        let (at, size) = (self.indices.binary_search(&index).ok()?, self.row_size());
        Some(&self.values.as_slice()[at * size..][..size])
    }

    /// The whole tensor.
    pub fn to_dense(&self) -> Tensor<T> {
        let mut dense = Tensor::zeros(self.shape.as_slice());
        self.add_to(&mut dense);
        dense
    }
}

impl Rows {
    /// The given rows `[outer, indices, inner]` as a list of rows of the value that is indexed, added up, without those of the
    /// index `skipped`. The indexed axis must be the first.
    pub(crate) fn sum<T: Float>(&self, values: &Tensor<T>, skipped: Option<usize>) -> SparseRows<T> {
        SparseRows::sum(&self.in_shape, self.indices(), values, skipped)
    }
}

/// A set of indices below a limit.
enum IndexSet {
    /// One bit for each index, and for each word the number of members in the words before it.
    Bits { words: Vec<u64>, before: Vec<u32> },
    /// The members, ascending. Where they are few, this costs nothing for the indices that are not among them.
    List(Vec<usize>),
}

impl IndexSet {
    fn new(limit: usize, indices: impl Iterator<Item = usize>, count: usize) -> Self {
        if limit / 64 > count {
            let mut list: Vec<usize> = indices.collect();
            list.sort_unstable();
            list.dedup();
            return IndexSet::List(list);
        }
        let mut words = vec![0u64; limit.div_ceil(64)];
        indices.for_each(|index| words[index / 64] |= 1 << (index % 64));
        let mut total = 0;
        let before = words.iter().map(|word| {
            total += word.count_ones();
            total - word.count_ones()
        });
        IndexSet::Bits { before: before.collect(), words }
    }

    /// The number of smaller members.
    fn rank(&self, index: usize) -> usize {
        match self {
            IndexSet::Bits { words, before } => {
                let smaller = words[index / 64] & ((1 << (index % 64)) - 1);
                (before[index / 64] + smaller.count_ones()) as usize
            }
            IndexSet::List(list) => list.partition_point(|&member| member < index),
        }
    }

    /// The members, ascending.
    fn members(&self) -> Vec<usize> {
        match self {
            IndexSet::Bits { words, .. } => {
                let members = |(k, &word): (usize, &u64)| {
                    (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| k * 64 + bit)
                };
                words.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(members).collect()
            }
            IndexSet::List(list) => list.clone(),
        }
    }
}
