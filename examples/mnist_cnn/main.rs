//! Trains a convolutional network to read handwritten digits: `cargo run --release --example mnist_cnn`.
//!
//! `-- --help` lists the options. `network.rs` is the network; the rest is that of the example `mnist`.

#[path = "../mnist/checkpoint.rs"]
mod checkpoint;
mod network;
#[path = "../mnist/options.rs"]
mod options;
#[path = "../mnist/report.rs"]
mod report;
#[path = "../mnist/training.rs"]
mod training;

use std::process::ExitCode;

fn main() -> ExitCode {
    training::run().map_or_else(|error| options::explain(&*error), |()| ExitCode::SUCCESS)
}
