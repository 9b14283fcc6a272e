//! Data sets, batches, and preprocessing.
//!
//! A [`Dataset`] gathers samples into batches; [`Batches`] iterates over one in order, shuffled or weighted, and [`Dataset::split`],
//! [`Dataset::split_stratified`] and [`Dataset::k_fold`] set samples aside for validation.
//!
//! | data | where they are read |
//! |---|---|
//! | samples and images in memory | [`Samples`], [`Images`] |
//! | MNIST, Fashion-MNIST, CIFAR-10 | [`mnist::load`], [`cifar10::load`] |
//! | IDX, CSV, numpy | [`idx::read`], [`csv::read`], [`npy::read`](crate::io::npy::read) |
//! | files of rows larger than memory | [`idx::open`], [`npy::open`](crate::io::npy::open), which make a [`RowFile`] |
//! | tokens | [`TokenFile`](crate::text::TokenFile) |
//! | folders of PNG and JPEG files | `ImageFolder`, with the feature `images` |
//! | Parquet, Arrow | not supported; convert in Python, `numpy.save(path, table.to_numpy())` |
//!
//! [`Augment`] and [`mixup`] vary images. [`Standardizer`] and [`MinMax`] scale features, and are saved
//! [with the model](crate::io::Checkpoint::scaling).

mod augment;
mod batches;
pub mod cifar10;
pub mod csv;
pub mod idx;
#[cfg(feature = "images")]
mod image_folder;
mod images;
pub mod mnist;
mod preprocess;
mod row_file;
mod samples;
mod subset;

pub use augment::{Augment, mixup};
pub use batches::{Batches, Dataset, balanced_weights};
#[cfg(feature = "images")]
pub use image_folder::ImageFolder;
pub use images::{ImageBatch, Images};
pub use preprocess::{MinMax, Scaling, Standardizer, one_hot};
pub use row_file::{RowBatch, RowFile, Stream};
pub use samples::{SampleBatch, SampleRows, Samples};
pub use subset::{Folds, Portion, Subset};
