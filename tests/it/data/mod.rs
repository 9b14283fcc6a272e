//! Data sets, batches and file formats of data.

mod augment;
mod batches;
mod cifar10;
mod csv;
mod idx;
#[cfg(feature = "images")]
mod image_folder;
mod images;
mod mnist;
mod preprocess;
mod row_file;
mod samples;
mod subset;

use crate::support::panics::Panic;
use wengert::data::{Images, Samples};
use wengert::prelude::*;

pub fn panics() -> Vec<Panic> {
    let files = [augment::PANICS, csv::PANICS, images::PANICS, preprocess::PANICS, row_file::PANICS];
    [files.concat(), batches::PANICS.to_vec(), samples::PANICS.to_vec(), subset::PANICS.to_vec()].concat()
}

/// Two images.
fn images() -> Images {
    Images::new(vec![0; 8], vec![0, 1], [2, 2])
}

/// One-pixel images whose pixel and label are the index of the image.
fn numbered_images(count: u8) -> Images {
    Images::new((0..count).collect(), (0..usize::from(count)).collect(), [1, 1])
}

/// Samples whose input and target are both their index.
fn numbered_samples(count: usize) -> Samples {
    Samples::new(Tensor::arange(0.0, count as f64, 1.0), Vec::from_iter(0..count))
}
