//! Training on several machines: each process computes some of the shards of a batch, and all take the same step.
//!
//! The processes are numbered: process k is *rank* k. They exchange messages through a [`Communicator`]; the package `wengert-mpi` of the
//! repository implements it for MPI, and [`on_threads`] for tests. Every rank runs the same program with equally seeded generators: it
//! draws the same batches and computes its own part of each.
//!
//! ```
//! use wengert::distributed::{self, Communicator};
//! use wengert::prelude::*;
//!
//! fn train(ranks: &dyn Communicator) -> Result<Tensor, wengert::Error> {
//!     let mut rng = wengert::rng(0);
//!     let x = Tensor::uniform([64, 3], -1.0, 1.0, &mut rng);
//!     let data = wengert::data::Samples::new(x.clone(), x.sum_over(keepdim(1)));
//!     let mut model = Linear::new(3, 1, Init::He, &mut rng);
//!     let mut optimizer = Adam::new(1e-2);
//!     distributed::broadcast_parameters(ranks, &mut model)?;
//!     for batch in data.batches(16).shuffled(&mut rng).indices() {
//!         let shards: Vec<&[usize]> = batch.chunks(4).collect();
//!         let loss = |tape: &Tape, shard: &&[usize]| {
//!             let samples = data.batch(shard); // gathered only where the shard is computed
//!             let y = model.forward(&tape.constant(samples.inputs));
//!             y.mse_loss(&samples.targets, Reduction::Sum) / 16.0
//!         };
//!         let (_loss, gradients) = distributed::gradients(ranks, &model, &mut rng, &shards, loss).unwrap();
//!         optimizer.step(&mut model, &gradients);
//!     }
//!     Ok(model.weight.value().clone())
//! }
//!
//! let alone = distributed::on_threads(1, |ranks| train(ranks)).remove(0)?;
//! for weight in distributed::on_threads(4, |ranks| train(ranks)) {
//!     assert_eq!(weight?, alone); // to the bit
//! }
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # The same bits for any number of ranks
//!
//! The number of shards belongs to the training run, like the batch size; the number of ranks does not. Sums over shards are formed in
//! pairs of neighbors, whichever rank holds them, so losses and weights are equal to the last bit for 1, 2 or 4 ranks, and for any number
//! of threads in each. A run may be resumed with another number of ranks. Work is shared evenly if the number of ranks divides that of the
//! shards. Several shards per rank amount to gradient accumulation: only the shards that the threads of a rank are computing take memory
//! for activations.
//!
//! # Failures
//!
//! If a rank cannot be reached, the program ends, since the others cannot continue. Restart the run from its last
//! [checkpoint](crate::io::Checkpoint), which only rank 0 writes and all ranks read.

mod message;
mod replica;
mod sum;
mod threads;

use crate::autograd::{Gradients, Tape, Var};
use crate::nn::Module;
use crate::tensor::Float;
use crate::transform::{parallel, tree};
use rand::Rng;
use std::ops::Range;

pub use replica::broadcast_parameters;
pub use threads::on_threads;

/// Moves messages between processes, of which each runs the same program.
///
/// All ranks call the methods in the same order. There are no errors to return: a rank that cannot be reached ends the program.
///
/// ```
/// use wengert::distributed::{Communicator, on_threads};
///
/// let greetings = on_threads(2, |ranks| ranks.all_gather(format!("I am {}", ranks.rank()).as_bytes()));
/// assert_eq!(greetings[0], [b"I am 0", b"I am 1"]);
/// assert_eq!(greetings[1], greetings[0]);
/// ```
#[doc(alias("ProcessGroup", "torch.distributed"))]
pub trait Communicator {
    /// The number of this process, from 0 on.
    fn rank(&self) -> usize;

    /// The number of processes.
    #[doc(alias = "world_size")]
    fn size(&self) -> usize;

    /// Sends `messages[k]` to rank k, and returns what each rank sent to this one, by rank.
    ///
    /// # Panics
    /// If there is not one message for each rank.
    #[doc(alias = "all_to_all")]
    fn exchange(&self, messages: &[&[u8]]) -> Vec<Vec<u8>>;

    /// Sends a message to all ranks, and returns those of all, by rank.
    fn all_gather(&self, message: &[u8]) -> Vec<Vec<u8>> {
        self.exchange(&vec![message; self.size()])
    }

    /// The message of rank 0; that of the others is ignored.
    fn broadcast(&self, message: &[u8]) -> Vec<u8> {
        self.all_gather(if self.rank() == 0 { message } else { &[] }).swap_remove(0)
    }
}

/// The sum of the losses of all shards and its gradients, computed by all ranks: on each the same, and the same as
/// [`parallel::gradients`] returns for all shards, to the bit.
///
/// All ranks pass the same shards, or descriptions of them, such as indices of samples, and equally seeded generators. A rank calls
/// `loss` only for its own block, on [`num_threads`](crate::num_threads) threads. Gradients are those of the parameters of the model,
/// among them lists of [rows](Gradients::rows), and the updates of its buffers; those of variables are not passed on. `None` if there
/// are no shards.
///
/// Each rank adds up one part of all gradients and passes the result on, so that a rank sends and receives about twice the size of
/// the parameters, however many ranks there are (R. Thakur, R. Rabenseifner and W. Gropp, Optimization of collective communication
/// operations in MPICH, 2005).
///
/// # Panics
/// If the ranks differ in the number of shards, the state of the generator or the shapes of the model, or the loss has gradients of
/// parameters that are not in the model.
#[doc(alias("DistributedDataParallel", "all_reduce"))]
#[track_caller]
pub fn gradients<T: Float, M: Module<T> + ?Sized, S: Sync>(
    communicator: &dyn Communicator,
    model: &M,
    rng: &mut impl Rng,
    shards: &[S],
    loss: impl Fn(&Tape<T>, &S) -> Var<T> + Sync,
) -> Option<(f64, Gradients<T>)> {
    let count = shards.len();
    let seeds = parallel::seeds(rng, count);
    let own = block(communicator, count);
    let leaves = parallel::of_shards(&seeds[own.clone()], &shards[own.clone()], own.start, loss);
    let sums = tree::reduce(leaves, count, parallel::add);
    if communicator.size() == 1 || count == 0 {
        return sums.into_iter().next().map(|sum| sum.value);
    }
    Some(sum::all_reduce(communicator, &model.parameters(), &seeds, sums))
}

/// Applies `work` to each item, on all ranks and their threads: the results in the order of the items, on every rank.
///
/// For evaluation: `work` returns sums over a part of a data set.
///
/// ```
/// use wengert::distributed::{self, on_threads};
///
/// let squares = on_threads(2, |ranks| distributed::map(ranks, &[1.0, 2.0, 3.0], |x| [x * x, 1.0]));
/// assert_eq!(squares, vec![[[1.0, 1.0], [4.0, 1.0], [9.0, 1.0]]; 2]);
/// ```
pub fn map<I: Sync, const N: usize>(
    communicator: &dyn Communicator,
    items: &[I],
    work: impl Fn(&I) -> [f64; N] + Sync,
) -> Vec<[f64; N]> {
    let own = parallel::map(&items[block(communicator, items.len())], work);
    let mut message = Vec::new();
    f64::write_bytes(own.as_flattened(), &mut message);
    let all: Vec<f64> = communicator.all_gather(&message).iter().flat_map(|bytes| f64::read_bytes(bytes)).collect();
    all.as_chunks().0.to_vec()
}

/// The part of `count` items that belongs to this rank.
fn block(communicator: &dyn Communicator, count: usize) -> Range<usize> {
    part(communicator.rank(), communicator.size(), count)
}

/// Part k of `count` items that are divided into `parts` parts.
fn part(k: usize, parts: usize, count: usize) -> Range<usize> {
    let bound = |k: usize| (k as u128 * count as u128 / parts as u128) as usize;
    bound(k)..bound(k + 1)
}
