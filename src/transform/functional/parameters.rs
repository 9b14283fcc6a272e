//! Models as functions of their parameters.

use crate::autograd::{Gradients, Mode, Param, Tape};
use crate::tensor::{Float, Tensor};
use crate::transform::functional::{Lifted, Primal};

/// A matrix of blocks whose heights and widths are `sizes`.
fn matrix<T: Float>(blocks: &[Vec<Tensor<T>>], sizes: &[usize]) -> Tensor<T> {
    let total: usize = sizes.iter().sum();
    let mut elements = Vec::with_capacity(total * total);
    for (blocks, &height) in blocks.iter().zip(sizes) {
        for row in 0..height {
            let parts = blocks.iter().zip(sizes);
            parts.for_each(|(block, width)| elements.extend_from_slice(&block.as_slice()[row * width..][..*width]));
        }
    }
    Tensor::from_vec(elements, [total, total])
}

/// Implements [`Primal`] for lists of parameters; only trainable ones count.
macro_rules! parameter_lists {
    ($([$($generics:tt)*] $list:ty, |$all:ident| $parameters:expr;)*) => { $(
        impl<T: Float, $($generics)*> Primal<T> for $list {
            type Input = Tape<T>;
            type Value = Tensor<T>;
            type Gradient = Gradients<T>;
            type Hessian = Tensor<T>;

            fn lift(&self) -> Lifted<T, Tape<T>> {
                let tape = Tape::with_mode(Mode::Differentiable);
                let mut variables = Vec::new();
                let $all = self;
                for param in $parameters.filter(|param| param.is_trainable()) {
                    variables.push(tape.param(param));
                }
                Lifted { tape: tape.clone(), input: tape, variables }
            }
            fn flatten(&self, direction: &Gradients<T>) -> Vec<Tensor<T>> {
                let part = |param: &Param<T>| direction.get(param).cloned().unwrap_or_else(|| Tensor::zeros(param.shape()));
                let $all = self;
                $parameters.filter(|param| param.is_trainable()).map(part).collect()
            }
            fn unflatten(&self, parts: Vec<Tensor<T>>) -> Gradients<T> {
                let $all = self;
                $parameters.filter(|param| param.is_trainable()).zip(parts).collect()
            }
            fn unflatten_pairs(&self, rows: Vec<Vec<Tensor<T>>>) -> Tensor<T> {
                let $all = self;
                let trainable = $parameters.filter(|param| param.is_trainable());
                matrix(&rows, &trainable.map(|param| param.value().len()).collect::<Vec<_>>())
            }
        }
    )* };
}
parameter_lists! {
    [] Param<T>, |one| std::iter::once(one);
    [const N: usize] [&Param<T>; N], |list| list.iter().copied();
    [] Vec<&Param<T>>, |list| list.iter().copied();
    [] Vec<(String, &Param<T>)>, |list| list.iter().map(|(_, param)| *param);
}
