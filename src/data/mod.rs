//! Data sets, and the batches that a training loop takes from them.
//!
//! A [`Dataset`] is anything that can gather some of its samples into a batch; [`Batches`] goes through one in order or
//! shuffled, [`Dataset::split`] and [`Dataset::k_fold`] take parts of it for validation. [`Samples`] holds inputs and targets in
//! memory, [`Images`] images as bytes. [`mnist::load`] reads MNIST, [`idx::read`] any file of its format, [`csv::read`] tables.
//! [`Standardizer`] and [`MinMax`] bring inputs to a common scale.

mod batches;
pub mod csv;
pub mod idx;
mod images;
pub mod mnist;
mod preprocess;
mod samples;
mod subset;

pub use batches::{Batches, Dataset};
pub use images::{ImageBatch, Images};
pub use preprocess::{MinMax, Standardizer, one_hot};
pub use samples::{Rows, SampleBatch, Samples};
pub use subset::{Folds, Portion, Subset};

use crate::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens a file for reading. Anything else is refused first, because opening a pipe can wait forever.
fn open(path: &Path) -> Result<File, Error> {
    if !fs::metadata(path).map_err(Error::io(path))?.is_file() {
        return Err(Error::io(path)(io::Error::other("not a regular file")));
    }
    File::open(path).map_err(Error::io(path))
}
