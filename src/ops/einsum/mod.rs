//! Einstein summation, lowered onto diagonals, sums, permutations and batched matrix products, whose rules differentiate it.

mod equation;
mod path;

use crate::autograd::{Mode, Tape, Var};
use crate::tensor::{Dims, Float, Tensor, View};
use equation::{Equation, Label, product, shape};
use std::collections::BTreeMap;

/// What [`einsum`] takes and gives: variables, or plain tensors.
pub trait EinsumOperand: Sized {
    #[doc(hidden)]
    #[track_caller]
    fn contract(equation: &str, operands: &[&Self]) -> Self;
}

/// Einstein summation: products of tensors, summed over the subscripts that the output does not have.
///
/// The equation names the axes of each operand by letters, and after `->` those of the output, as in numpy and PyTorch:
///
/// | | |
/// |---|---|
/// | `ij,jk->ik` | the product of two matrices |
/// | `bhqd,bhkd->bhqk` | of stacks of them, the second one transposed |
/// | `i,j->ij`, `i,i->` | outer and inner product |
/// | `ij->ji`, `ij->j` | the transpose, the sums of the columns |
/// | `ii->i`, `ii->` | the diagonal, the trace |
/// | `...ij,...jk->...ik` | any axes in front, which broadcast |
///
/// Without `->` the output has the axes of `...` and then the letters that occur once, in the order of the alphabet, capitals first. An
/// output that is written without `...` sums over its axes. An axis of size 1 broadcasts against others of its name. Spaces mean nothing.
///
/// Several operands are multiplied two at a time: up to eight in the order that needs the fewest multiplications, more of them by always
/// taking the cheapest pair. Any order of derivative works, because it does for the parts.
///
/// # Panics
/// If the equation is malformed or does not fit the shapes; the message says where.
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
        let mut factors = Vec::with_capacity(2 * operands.len());
        // Loops, not closures, which would not know the caller's line.
        for (x, labels) in operands.iter().zip(&equation.operands) {
            factors.push(Some(Factor::new(x, labels, &equation.sizes)));
        }
        for (i, j) in path::order(&equation) {
            let pair = factors[i].take().zip(factors[j].take());
            let (a, b) = pair.expect("every factor is used once");
            let others = || factors.iter().flatten().flat_map(|factor| &factor.labels);
            let keep = |label: &Label| equation.output.contains(label) || others().any(|other| other == label);
            let product = a.times(b, keep, &equation.sizes);
            factors.push(Some(product));
        }
        let last = factors.pop().flatten().expect("an equation has an operand, and the last product is left");
        last.output(&equation.output)
    }
}

/// A value whose axes have names, each one once.
struct Factor<T: Float> {
    x: Var<T>,
    labels: Vec<Label>,
}

impl<T: Float> Factor<T> {
    /// An operand: a name that occurs twice means the diagonal, and an axis of size 1 that broadcasts is left out.
    #[track_caller]
    fn new(x: &Var<T>, labels: &[Label], sizes: &BTreeMap<Label, usize>) -> Self {
        let (mut x, mut labels) = (x.clone(), labels.to_vec());
        let twice = |labels: &[Label]| {
            let first = |j: usize| labels[..j].iter().position(|label| *label == labels[j]);
            (0..labels.len()).find_map(|j| Some((first(j)?, j)))
        };
        while let Some((i, j)) = twice(&labels) {
            x = x.viewed(View::diagonal(x.shape(), 0, i, j));
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
        Factor { x: x.with_shape(shape(&labels, sizes)), labels }
    }

    fn has(&self, label: &Label) -> bool {
        self.labels.contains(label)
    }

    /// Summed over the axes that are not kept.
    #[track_caller]
    fn summed(self, keep: impl Fn(&Label) -> bool) -> Self {
        let axes: Dims = (0..self.labels.len()).filter(|&k| !keep(&self.labels[k])).collect();
        if axes.is_empty() {
            return self;
        }
        Factor { x: self.x.sum_over(axes.as_slice()), labels: self.labels.into_iter().filter(keep).collect() }
    }

    /// The value with its axes in the given order.
    #[track_caller]
    fn in_order(&self, labels: &[Label]) -> Var<T> {
        if self.labels == labels {
            return self.x.clone();
        }
        let place = |label: &Label| self.labels.iter().position(|other| other == label);
        self.x.permute_by(labels.iter().map(|label| place(label).expect("the labels are the same")).collect())
    }

    /// The value with the axes of the output, in their order.
    #[track_caller]
    fn output(self, labels: &[Label]) -> Var<T> {
        self.summed(|label| labels.contains(label)).in_order(labels)
    }

    /// The product with another factor, summed over what is not kept.
    #[track_caller]
    fn times(self, other: Self, keep: impl Fn(&Label) -> bool, sizes: &BTreeMap<Label, usize>) -> Self {
        let a = self.summed(|label| keep(label) || other.has(label));
        let b = other.summed(|label| keep(label) || a.has(label));
        let of_a = |chosen: &dyn Fn(&Label) -> bool| a.labels.iter().copied().filter(|l| chosen(l)).collect::<Vec<_>>();
        let stack = of_a(&|label| b.has(label) && keep(label));
        let inner = of_a(&|label| b.has(label) && !keep(label));
        let rows = of_a(&|label| !b.has(label));
        let columns: Vec<Label> = b.labels.iter().copied().filter(|label| !a.has(label)).collect();
        let labels = [&*stack, &rows, &columns].concat();
        // A product of matrices of one element each is slower than one of elements.
        let x = if inner.is_empty() || (rows.is_empty() && columns.is_empty() && !stack.is_empty()) {
            let apart = |labels: [&[Label]; 4], ones: usize| -> Dims {
                let size = |(k, label): (usize, &Label)| if k == ones { 1 } else { sizes[label] };
                labels.iter().enumerate().flat_map(|(k, labels)| labels.iter().map(move |l| (k, l))).map(size).collect()
            };
            let all = [&*stack, &rows, &columns, &inner];
            let left = a.in_order(&[&*stack, &rows, &inner].concat()).with_shape(apart(all, 2));
            let right = b.in_order(&[&*stack, &columns, &inner].concat()).with_shape(apart(all, 1));
            let axes: Dims = (labels.len()..labels.len() + inner.len()).collect();
            if inner.is_empty() { left * right } else { (left * right).sum_over(axes.as_slice()) }
        } else {
            let (left, transpose_left) = a.as_matrices([&stack, &rows, &inner], sizes);
            let (right, transpose_right) = b.as_matrices([&stack, &inner, &columns], sizes);
            left.multiply(&right, transpose_left, transpose_right).with_shape(shape(&labels, sizes))
        };
        Factor { x, labels }
    }

    /// As a stack of matrices with the given axes, and whether they are stored transposed, which saves a copy.
    #[track_caller]
    fn as_matrices(&self, [stack, rows, columns]: [&[Label]; 3], sizes: &BTreeMap<Label, usize>) -> (Var<T>, bool) {
        let transposed = self.labels == [stack, columns, rows].concat() && !rows.is_empty();
        let axes = if transposed { [stack, columns, rows] } else { [stack, rows, columns] };
        (
            self.in_order(&axes.concat()).with_shape(axes.iter().map(|labels| product(labels, sizes)).collect()),
            transposed,
        )
    }
}
