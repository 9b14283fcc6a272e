//! Training with [`wengert`] on several machines, over MPI.
//!
//! [`run`] joins the processes that `mpirun` starts, and [`World`] is their [`Communicator`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use wengert::distributed::{self, Communicator};
//! use wengert::prelude::*;
//!
//! fn main() -> ExitCode {
//!     wengert_mpi::run(|world| {
//!         let mut rng = wengert::rng(0); // the same on every rank
//!         let (train, _) = wengert::data::mnist::load("data/mnist")?;
//!         let mut model = Linear::new(784, 10, Init::Xavier, &mut rng);
//!         let mut optimizer = Adam::new(1e-3);
//!         distributed::broadcast_parameters(world, &mut model)?;
//!         for batch in train.batches(128).shuffled(&mut rng).indices() {
//!             let shards: Vec<&[usize]> = batch.chunks(32).collect();
//!             let loss = |tape: &Tape, shard: &&[usize]| {
//!                 let samples = train.batch(shard);
//!                 let losses = model.forward(&tape.constant(samples.images)).softmax_cross_entropy(&samples.labels);
//!                 losses * (shard.len() as f64 / batch.len() as f64)
//!             };
//!             let (loss, gradients) = distributed::gradients(world, &model, &mut rng, &shards, loss).unwrap();
//!             optimizer.step(&mut model, &gradients);
//!             if world.rank() == 0 {
//!                 println!("{loss}");
//!             }
//!         }
//!         Ok::<_, wengert::Error>(ExitCode::SUCCESS)
//!     })
//! }
//! ```
//!
//! `mpirun -n 4 target/release/program` starts it on four processors of this machine, `mpirun --host a,b …` on two machines. Each rank
//! computes on [`wengert::num_threads`] threads: with several ranks on a machine, set `WENGERT_NUM_THREADS` to its processors divided
//! by the ranks. The package needs an MPI library and its headers, and libclang: on Debian `libopenmpi-dev`, `openmpi-bin`,
//! `libclang-dev` and `clang`. The package `wengert` needs none of these.

#![warn(missing_docs)]

use mpi::Threading;
use mpi::datatype::PartitionMut;
use mpi::environment::{Universe, initialize_with_threading, processor_name};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as MpiCommunicator, CommunicatorCollectives, Destination, Root, Source};
use std::fmt::{self, Debug, Display, Formatter};
use std::process::ExitCode;
use std::thread;
use wengert::distributed::Communicator;

/// The longest message that is sent in one piece: MPI counts bytes in an `i32`.
const PIECE: usize = 1 << 30;
/// The most bytes in total for which MPI's own way to gather is used, in which rounds grow with the logarithm of the ranks. MPI passes
/// more than that around in a ring, whose latency grows with the ranks.
const SMALL: usize = 1 << 16;

/// All processes that `mpirun` started.
pub struct World {
    /// A communicator of its own, so that no message of another library arrives here.
    communicator: SimpleCommunicator,
    /// Leaves MPI when it is dropped.
    _universe: Universe,
}

impl Debug for World {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("World").field("rank", &self.rank()).field("size", &self.size()).finish()
    }
}

/// Joins the other processes and runs the program, which is the same on all ranks. Returns the exit status.
///
/// A process that was not started by `mpirun` is rank 0 of 1. An error or a panic on one rank, for which the others would wait forever,
/// ends them all: its message is printed with the rank, and `mpirun` returns a status that is not 0. A rank that is killed, or whose
/// machine is lost, has the same effect by `mpirun` itself.
///
/// # Panics
/// If MPI was already initialized.
pub fn run<E: Display>(program: impl FnOnce(&World) -> Result<ExitCode, E>) -> ExitCode {
    let (universe, _) = initialize_with_threading(Threading::Funneled).expect("MPI is initialized once");
    let world = World { communicator: universe.world().duplicate(), _universe: universe };
    program(&world).unwrap_or_else(|error| world.end_all(&error))
}

impl World {
    /// Ends all processes with a message.
    fn end_all(&self, message: &dyn Display) -> ! {
        let host = processor_name().map_or_else(|_| String::new(), |name| format!(" on {name}"));
        // Written in one piece, so that the lines of several ranks do not mix.
        let line = format!("error: rank {} of {}{host}: {message}\n", self.rank(), self.size());
        eprint!("{line}");
        self.communicator.abort(1)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() && self.size() > 1 {
            self.end_all(&"a panic, which ends the other ranks too");
        }
    }
}

impl Communicator for World {
    fn rank(&self) -> usize {
        self.communicator.rank() as usize
    }

    fn size(&self) -> usize {
        self.communicator.size() as usize
    }

    fn exchange(&self, messages: &[&[u8]]) -> Vec<Vec<u8>> {
        let (rank, size) = (self.rank(), self.size());
        assert_eq!(messages.len(), size, "exchange: give one message for each rank");
        let peer = |distance: usize| ((rank + distance) % size, (rank + size - distance) % size);
        let process = |rank: usize| self.communicator.process_at_rank(rank as i32);
        let mut received = vec![Vec::new(); size];
        received[rank] = messages[rank].to_vec();
        mpi::request::scope(|scope| {
            let mut requests = Vec::new();
            for distance in 1..size {
                let (to, _) = peer(distance);
                requests.extend(pieces(messages[to]).map(|piece| process(to).immediate_send(scope, piece)));
            }
            for distance in 1..size {
                let (_, from) = peer(distance);
                loop {
                    let (piece, _) = process(from).receive_vec::<u8>();
                    let last = piece.len() < PIECE;
                    match received[from].is_empty() {
                        true => received[from] = piece,
                        false => received[from].extend(piece),
                    }
                    if last {
                        break;
                    }
                }
            }
            requests.into_iter().for_each(|request| request.wait_without_status());
        });
        received
    }

    fn all_gather(&self, message: &[u8]) -> Vec<Vec<u8>> {
        let mut lengths = vec![0u64; self.size()];
        self.communicator.all_gather_into(&(message.len() as u64), &mut lengths[..]);
        let lengths: Vec<usize> = lengths.into_iter().map(|length| length as usize).collect();
        let total: usize = lengths.iter().sum();
        // Without a byte, the buffers that MPI gets would both be nowhere: it takes them for the same, which it forbids.
        if total == 0 || total > SMALL {
            return self.exchange(&vec![message; self.size()]);
        }
        let counts: Vec<i32> = lengths.iter().map(|&length| length as i32).collect();
        let starts: Vec<i32> = counts.iter().scan(0, |end, count| Some(std::mem::replace(end, *end + count))).collect();
        let mut all = vec![0u8; total];
        self.communicator.all_gather_varcount_into(message, &mut PartitionMut::new(&mut all[..], counts, starts));
        let mut rest = &all[..];
        let part = |length: usize| {
            let (part, others) = rest.split_at(length);
            rest = others;
            part.to_vec()
        };
        lengths.into_iter().map(part).collect()
    }

    fn broadcast(&self, message: &[u8]) -> Vec<u8> {
        let root = self.communicator.process_at_rank(0);
        let mut length = message.len() as u64;
        root.broadcast_into(&mut length);
        let mut bytes = if self.rank() == 0 { message.to_vec() } else { vec![0; length as usize] };
        bytes.chunks_mut(PIECE).for_each(|piece| root.broadcast_into(piece));
        bytes
    }
}

/// A message in pieces, of which only the last is shorter than [`PIECE`].
fn pieces(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bound = |k: usize| (k * PIECE).min(message.len());
    (0..=message.len() / PIECE).map(move |k| &message[bound(k)..bound(k + 1)])
}

#[cfg(test)]
mod tests {
    use super::{PIECE, pieces};

    #[test]
    fn only_the_last_piece_is_shorter() {
        // Memory that is not touched.
        let message = vec![0; 2 * PIECE + 1];
        let lengths = |length: usize| pieces(&message[..length]).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0]);
        assert_eq!(lengths(PIECE - 1), [PIECE - 1]);
        assert_eq!(lengths(PIECE), [PIECE, 0]);
        assert_eq!(lengths(2 * PIECE + 1), [PIECE, PIECE, 1]);
    }
}
