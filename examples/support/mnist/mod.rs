//! What the examples `mnist` and `mnist_cnn` share: everything but the network.

mod charts;
mod interrupt;
mod options;
mod report;
mod training;

pub use options::Options;

use std::process::ExitCode;
use wengert::prelude::*;

/// A network that one of the MNIST examples trains.
pub trait Network: Module + Clone + 'static {
    /// Name of the example.
    const EXAMPLE: &'static str;
    /// Kind of network, for the help text and the report.
    const KIND: &'static str;
    /// Default values of options that differ from those in `options.rs`.
    const DEFAULTS: &'static [(&'static str, &'static str)];

    /// Builds the network that the options describe.
    fn new(options: &Options, rng: &mut impl Rng) -> Self;

    /// The class scores (logits) `[n, 10]` of images `[n, 784]`.
    fn forward(&self, x: &Var) -> Var;
}

/// Runs an example: parses the command line, trains the network and writes the results.
pub fn run<N: Network>() -> ExitCode {
    training::train::<N>().unwrap_or_else(|error| options::report_error(&*error))
}
