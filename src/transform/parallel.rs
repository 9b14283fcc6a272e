//! Work on several threads, with results that do not depend on their number.

use crate::autograd::{Gradients, Mode, Tape, Var};
use crate::kernel::map_indices;
use crate::tensor::Float;
use crate::transform::tree::{self, Node};
use rand::Rng;

/// Applies `work` to each item on [`num_threads`](crate::num_threads) threads; the results are in the order of the items.
///
/// # Panics
/// If `work` panics, after all threads have finished.
///
/// ```
/// use wengert::parallel;
///
/// let squares = parallel::map(&[1, 2, 3], |k| k * k);
/// assert_eq!(squares, [1, 4, 9]);
/// ```
pub fn map<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    map_indices(items.len(), |index| work(&items[index]))
}

/// The sum of the losses of all shards and its gradients, computed on [`num_threads`](crate::num_threads) threads.
///
/// Each shard has its own training tape, seeded from `rng` in the order of the shards. Losses and gradients are summed in pairs of
/// neighbors, shards 0 and 1, 2 and 3, …, and these sums likewise; buffer updates (running averages) are applied in the order of the
/// shards. So the result depends on the number of shards but not on the number of threads, to the bit.
/// [`distributed::gradients`](crate::distributed::gradients) computes the same on several machines. `None` if there are no shards.
///
/// ```
/// use wengert::parallel;
/// use wengert::prelude::*;
///
/// let model = Linear::new(2, 1, Init::Constant(1.0), &mut wengert::rng(0));
/// let shards = [tensor![[1.0, 2.0]], tensor![[3.0, 4.0]]];
/// let loss = |tape: &Tape, shard: &Tensor| model.forward(&tape.constant(shard)).sum();
/// let (total, gradients) = parallel::gradients(&mut wengert::rng(0), &shards, loss).unwrap();
/// assert_eq!(total, 10.0);
/// assert_eq!(gradients[&model.weight], tensor![[4.0, 6.0]]);
/// ```
#[doc(alias = "DataParallel")]
pub fn gradients<T: Float, S: Sync>(
    rng: &mut impl Rng,
    shards: &[S],
    loss: impl Fn(&Tape<T>, &S) -> Var<T> + Sync,
) -> Option<(f64, Gradients<T>)> {
    let leaves = of_shards(&seeds(rng, shards.len()), shards, 0, loss);
    tree::reduce(leaves, shards.len(), add).pop().map(|sum| sum.value)
}

/// The loss of some shards, and its gradients.
pub(crate) type Sum<T> = (f64, Gradients<T>);

/// The seed of the tape of each shard.
pub(crate) fn seeds(rng: &mut impl Rng, count: usize) -> Vec<u64> {
    (0..count).map(|_| rng.next_u64()).collect()
}

/// The loss of each of the shards and its gradients, computed on several threads; the first one is number `start`.
pub(crate) fn of_shards<T: Float, S: Sync>(
    seeds: &[u64],
    shards: &[S],
    start: usize,
    loss: impl Fn(&Tape<T>, &S) -> Var<T> + Sync,
) -> Vec<Node<Sum<T>>> {
    let sums = map_indices(shards.len(), |index| {
        let tape = Tape::with_mode(Mode::Training(seeds[index]));
        let loss = loss(&tape, &shards[index]);
        (loss.item().to_f64(), loss.backward())
    });
    sums.into_iter().enumerate().map(|(index, sum)| Node::leaf(start + index, sum)).collect()
}

/// Adds the sums over two groups of shards.
pub(crate) fn add<T: Float>((loss, mut sum): Sum<T>, (other, gradients): Sum<T>) -> Sum<T> {
    sum += gradients;
    (loss + other, sum)
}
