//! Tests of the features of the crate that are off by default.

mod conversions;
#[expect(dead_code, reason = "the other tests need more")]
#[path = "../it/support/files.rs"]
mod files;
mod image_folder;
