//! Trains a multilayer perceptron to read handwritten digits: `cargo run --release --example mnist`.
//!
//! `-- --help` lists the options. `network.rs` is the network and `training.rs` the training, `options.rs` reads the command
//! line, `checkpoint.rs` keeps what an interrupted run needs to go on, and `report.rs` writes the page that shows how it
//! went. All but the first serve the convolutional network of the example `mnist_cnn` too.

mod checkpoint;
mod network;
mod options;
mod report;
mod training;

use std::process::ExitCode;

fn main() -> ExitCode {
    training::run().map_or_else(|error| options::explain(&*error), |()| ExitCode::SUCCESS)
}
