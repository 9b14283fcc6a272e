//! Einstein summation, composed of diagonals, sums, permutations and batched matrix products, which differentiate it.

mod equation;
mod path;

use crate::autograd::{Mode, Tape, Var};
use crate::tensor::{Dims, Float, Tensor, View, checked_shape};
use equation::{Equation, Label, product, shape};
use std::collections::BTreeMap;

/// The operands and results of [`einsum`]: variables or tensors.
pub trait EinsumOperand: Sized {
    #[doc(hidden)]
    #[track_caller]
    fn contract(equation: &str, operands: &[&Self]) -> Self;
}

/// Einstein summation: the product of the operands, summed over the subscripts that are not in the output.
///
/// The equation names the axes of each operand by letters, and after `->` those of the output, as in numpy and PyTorch:
///
/// | equation | result |
/// |---|---|
/// | `ij,jk->ik` | matrix product |
/// | `bhqd,bhkd->bhqk` | batched matrix product, the second operand transposed |
/// | `i,j->ij`, `i,i->` | outer and inner product |
/// | `ij->ji`, `ij->j` | transpose, column sums |
/// | `ii->i`, `ii->` | diagonal, trace |
/// | `...ij,...jk->...ik` | matrix product with any batch axes, which broadcast |
///
/// Without `->` the output has the axes of `...`, then the letters that occur once, in alphabetical order with capitals first. An
/// explicit output without `...` sums over those axes. Axes of size 1 broadcast against other axes of the same name. Whitespace is
/// ignored.
///
/// Operands are contracted in pairs: up to eight along the path with the fewest multiplications, more of them greedily, the cheapest
/// pair of the first 64 first.
///
/// # Panics
/// If the equation is malformed or does not fit the shapes.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::einsum;
///
/// let (a, b) = (tensor![[1.0, 2.0]], tensor![[3.0, 4.0]]);
/// assert_eq!(einsum("ij,kj->ik", &[&a, &b]), tensor![[11.0]]);
///
/// let tape = Tape::new();
/// let x = tape.var([[1.0, 2.0], [3.0, 4.0]]);
/// let y = einsum("ij,ij->", &[&x, &x]);
/// assert_eq!(y.item(), 30.0);
/// assert_eq!(y.grad(&x).value(), &tensor![[2.0, 4.0], [6.0, 8.0]]);
/// ```
#[track_caller]
pub fn einsum<X: EinsumOperand>(equation: &str, operands: &[&X]) -> X {
    X::contract(equation, operands)
}

impl<T: Float> EinsumOperand for Tensor<T> {
    fn contract(equation: &str, operands: &[&Self]) -> Self {
        let tape = Tape::with_mode(Mode::Inference);
        let constants: Vec<Var<T>> = operands.iter().map(|&x| tape.constant(x)).collect();
        Var::contract(equation, &constants.iter().collect::<Vec<_>>()).value().clone()
    }
}

impl<T: Float> EinsumOperand for Var<T> {
    #[track_caller]
    fn contract(equation: &str, operands: &[&Self]) -> Self {
        let shapes: Vec<&[usize]> = operands.iter().map(|x| x.shape()).collect();
        let equation = Equation::new(equation, &shapes);
        let mut terms = Vec::with_capacity(2 * operands.len());
        // Loops, not closures: a closure does not know the caller's line.
        for (x, labels) in operands.iter().zip(&equation.operands) {
            terms.push(Some(Labeled::new(x, labels, &equation.sizes)));
        }
        for (i, j) in path::contraction_path(&equation) {
            let pair = terms[i].take().zip(terms[j].take());
            let (a, b) = pair.expect("every term is contracted once");
            let others = || terms.iter().flatten().flat_map(|term| &term.labels);
            let keep = |label: &Label| equation.output.contains(label) || others().any(|other| other == label);
            let product = a.contract(b, keep, &equation.sizes);
            terms.push(Some(product));
        }
        let result = terms.pop().flatten().expect("an equation has at least one term");
        result.into_output(&equation.output)
    }
}

/// A value with distinct labels for its axes.
struct Labeled<T: Float> {
    x: Var<T>,
    labels: Vec<Label>,
}

impl<T: Float> Labeled<T> {
    /// An operand: takes the diagonal of repeated labels and removes axes of size 1 that broadcast.
    #[track_caller]
    fn new(x: &Var<T>, labels: &[Label], sizes: &BTreeMap<Label, usize>) -> Self {
        let (mut x, mut labels) = (x.clone(), labels.to_vec());
        let repeated = |labels: &[Label]| {
            let first = |j: usize| labels[..j].iter().position(|label| *label == labels[j]);
            (0..labels.len()).find_map(|j| Some((first(j)?, j)))
        };
        while let Some((i, j)) = repeated(&labels) {
            x = x.slice_by(View::diagonal(x.shape(), 0, i, j));
            let label = labels.remove(j);
            labels.remove(i);
            labels.push(label);
        }
        labels = labels
            .into_iter()
            .zip(x.shape())
            .filter(|&(label, &n)| n == sizes[&label])
            .map(|(label, _)| label)
            .collect();
        Labeled { x: x.with_shape(shape(&labels, sizes)), labels }
    }

    fn has(&self, label: &Label) -> bool {
        self.labels.contains(label)
    }

    /// Summed over the axes that are not kept.
    #[track_caller]
    fn sum_except(self, keep: impl Fn(&Label) -> bool) -> Self {
        let axes: Dims = (0..self.labels.len()).filter(|&k| !keep(&self.labels[k])).collect();
        if axes.is_empty() {
            return self;
        }
        Labeled { x: self.x.sum_over(axes.as_slice()), labels: self.labels.into_iter().filter(keep).collect() }
    }

    /// The value with its axes permuted to the given order.
    #[track_caller]
    fn permuted_to(&self, labels: &[Label]) -> Var<T> {
        if self.labels == labels {
            return self.x.clone();
        }
        let axis = |label: &Label| self.labels.iter().position(|other| other == label);
        self.x.permute_by(labels.iter().map(|label| axis(label).expect("the labels are the same")).collect())
    }

    /// Summed and permuted to the axes of the output.
    #[track_caller]
    fn into_output(self, labels: &[Label]) -> Var<T> {
        self.sum_except(|label| labels.contains(label)).permuted_to(labels)
    }

    /// The product with another term, summed over the axes that are not kept.
    #[track_caller]
    fn contract(self, other: Self, keep: impl Fn(&Label) -> bool, sizes: &BTreeMap<Label, usize>) -> Self {
        let a = self.sum_except(|label| keep(label) || other.has(label));
        let b = other.sum_except(|label| keep(label) || a.has(label));
        let of_a = |chosen: &dyn Fn(&Label) -> bool| a.labels.iter().copied().filter(|l| chosen(l)).collect::<Vec<_>>();
        let batch = of_a(&|label| b.has(label) && keep(label));
        let inner = of_a(&|label| b.has(label) && !keep(label));
        let rows = of_a(&|label| !b.has(label));
        let columns: Vec<Label> = b.labels.iter().copied().filter(|label| !a.has(label)).collect();
        let labels = [&*batch, &rows, &columns].concat();
        let whole = checked_shape("einsum", shape(&labels, sizes));
        // An elementwise product is faster than a batch of 1 × 1 matrix products.
        let x = if inner.is_empty() || (rows.is_empty() && columns.is_empty() && !batch.is_empty()) {
            let aligned = |labels: [&[Label]; 4], ones: usize| -> Dims {
                let size = |(k, label): (usize, &Label)| if k == ones { 1 } else { sizes[label] };
                labels.iter().enumerate().flat_map(|(k, labels)| labels.iter().map(move |l| (k, l))).map(size).collect()
            };
            let all = [&*batch, &rows, &columns, &inner];
            checked_shape("einsum", shape(&all.concat(), sizes));
            let left = a.permuted_to(&[&*batch, &rows, &inner].concat()).with_shape(aligned(all, 2));
            let right = b.permuted_to(&[&*batch, &columns, &inner].concat()).with_shape(aligned(all, 1));
            let axes: Dims = (labels.len()..labels.len() + inner.len()).collect();
            if inner.is_empty() { left * right } else { (left * right).sum_over(axes.as_slice()) }
        } else {
            let (left, transpose_left) = a.as_matrices([&batch, &rows, &inner], sizes);
            let (right, transpose_right) = b.as_matrices([&batch, &inner, &columns], sizes);
            left.multiply(&right, transpose_left, transpose_right).with_shape(whole)
        };
        Labeled { x, labels }
    }

    /// As a batch of matrices with the given axes, and whether they are stored transposed, which saves a copy.
    #[track_caller]
    fn as_matrices(&self, [batch, rows, columns]: [&[Label]; 3], sizes: &BTreeMap<Label, usize>) -> (Var<T>, bool) {
        let transposed = self.labels == [batch, columns, rows].concat() && !rows.is_empty();
        let axes = if transposed { [batch, columns, rows] } else { [batch, rows, columns] };
        (
            self.permuted_to(&axes.concat()).with_shape(axes.iter().map(|labels| product(labels, sizes)).collect()),
            transposed,
        )
    }
}
