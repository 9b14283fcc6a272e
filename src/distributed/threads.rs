//! Ranks as threads of one process.

use crate::distributed::Communicator;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// A rank that is a thread.
struct Rank {
    rank: usize,
    /// To each rank.
    senders: Vec<Sender<Vec<u8>>>,
    /// From each rank.
    receivers: Vec<Receiver<Vec<u8>>>,
}

impl Communicator for Rank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.senders.len()
    }

    fn exchange(&self, messages: &[&[u8]]) -> Vec<Vec<u8>> {
        assert_eq!(messages.len(), self.size(), "exchange: give one message for each rank");
        for (sender, message) in self.senders.iter().zip(messages) {
            // One that has ended is noticed when its own message does not arrive.
            let _ = sender.send(message.to_vec());
        }
        let receive = |receiver: &Receiver<Vec<u8>>| receiver.recv().expect("every rank takes part in every exchange");
        self.receivers.iter().map(receive).collect()
    }
}

/// Runs a program on the given number of ranks, each a thread of this process, and returns the results by rank. For tests of distributed
/// programs.
///
/// # Panics
/// If the program panics on a rank: with the panic of the first rank that did.
pub fn on_threads<R: Send>(ranks: usize, program: impl Fn(&dyn Communicator) -> R + Sync) -> Vec<R> {
    let mut all: Vec<Rank> = (0..ranks).map(|rank| Rank { rank, senders: Vec::new(), receivers: Vec::new() }).collect();
    for from in 0..ranks {
        for to in 0..ranks {
            let (sender, receiver) = channel();
            all[from].senders.push(sender);
            all[to].receivers.push(receiver);
        }
    }
    let program = &program;
    thread::scope(|scope| {
        let threads: Vec<_> = all.into_iter().map(|rank| scope.spawn(move || program(&rank))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}
