//! Gradient checkpointing of modules.

use super::{Module, Path};
use crate::autograd::{Param, Var};
use crate::tensor::Float;

/// Applies `f` to a module and its input without saving the intermediate values: the backward pass runs `f` again. Also known
/// as gradient checkpointing; see [`Var::recompute`] for its savings and costs.
///
/// Values, gradients, dropout masks and running averages are those of `f(part, x)`. The parameters of the module are held as
/// handles, not copies, and released by the backward pass. Parameters [frozen](crate::Tape::freeze) on the tape remain frozen.
///
/// ```
/// use wengert::nn::recompute;
/// use wengert::prelude::*;
///
/// #[derive(Clone)]
/// struct Block { first: Linear, second: Linear }
/// module!(Block { first, second });
///
/// impl Block {
///     fn forward(&self, x: &Var) -> Var {
///         x + self.second.forward(&self.first.forward(x).relu().dropout(0.1))
///     }
/// }
///
/// let mut rng = wengert::rng(0);
/// let layer = |rng: &mut _| Linear::new(8, 8, Init::He, rng);
/// let blocks: Vec<Block> = (0..10).map(|_| Block { first: layer(&mut rng), second: layer(&mut rng) }).collect();
/// let tape = Tape::training(&mut rng);
/// let x = tape.constant(Tensor::ones([4, 8]));
/// let y = blocks.iter().fold(x, |x, block| recompute(block, &x, Block::forward));
/// let gradients = y.sum().backward();
/// assert!(gradients.get(&blocks[0].first.weight).is_some());
/// ```
#[doc(alias = "checkpoint")]
#[track_caller]
pub fn recompute<T: Float, M>(part: &M, x: &Var<T>, f: impl Fn(&M, &Var<T>) -> Var<T> + 'static) -> Var<T>
where
    M: Module<T> + Clone + 'static,
{
    let parameters: Vec<&Param<T>> = part.parameters().into_iter().map(|(_, param)| param).collect();
    let mut copy = part.clone();
    let mut originals = parameters.iter();
    copy.visit_mut(&mut Path::new(), &mut |_, param| {
        *param = originals.next().expect("a clone has the parameters of what it was made of").alias();
    });
    let trainable: Vec<&Param<T>> = parameters.into_iter().filter(|param| param.is_trainable()).collect();
    x.recompute_with(&trainable, move |x| f(&copy, x))
}
