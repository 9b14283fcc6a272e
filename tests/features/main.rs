//! Tests of the features of the crate that are off by default.

mod conversions;
#[path = "../it/support/files.rs"]
mod files;
mod image_folder;
