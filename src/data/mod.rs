//! Data sets, batches, and preprocessing.
//!
//! A [`Dataset`] gathers samples into batches; [`Batches`] iterates over one in order or shuffled, and
//! [`Dataset::split`] and [`Dataset::k_fold`] set samples aside for validation. [`Samples`] holds inputs and targets in
//! memory, [`Images`] holds images as bytes. [`mnist::load`] reads MNIST, [`idx::read`] any file in its format, and
//! [`csv::read`] tables. [`Standardizer`] and [`MinMax`] scale features.

mod batches;
pub mod csv;
pub mod idx;
mod images;
pub mod mnist;
mod preprocess;
mod row_file;
mod samples;
mod subset;

pub use batches::{Batches, Dataset, balanced_weights};
pub use images::{ImageBatch, Images};
pub use preprocess::{MinMax, Standardizer, one_hot};
pub use row_file::{RowBatch, RowFile, Stream};
pub use samples::{SampleBatch, SampleRows, Samples};
pub use subset::{Folds, Portion, Subset};
