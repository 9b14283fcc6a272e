//! Files of models, of runs and of arrays: here and back, from Python, and broken in every way.

mod checkpoint;
mod interop;
mod model;
mod robustness;

use std::path::PathBuf;
use tempfile::TempDir;
use wengert::Error;
use wengert::io::Mismatch;
use wengert::prelude::*;

/// A file that Python wrote; see `tests/fixtures/make.py`.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// An empty directory for one test, gone at its end.
fn directory() -> TempDir {
    tempfile::tempdir().expect("there is a place for temporary files")
}

/// The bits of all parameters and buffers.
fn bits(model: &dyn Module) -> Vec<u32> {
    let values = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
    values.map(f32::to_bits).collect()
}

/// The mismatches that an error lists.
fn mismatches<X>(result: Result<X, Error>) -> Vec<String> {
    match result {
        Err(Error::Mismatch { mismatches, .. }) => mismatches.iter().map(Mismatch::to_string).collect(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("everything matches"),
    }
}

/// The text of an error without the path in front.
fn message<X>(result: Result<X, Error>) -> String {
    let text = result.err().expect("an error").to_string();
    text.split_once("\": ").expect("a path in front").1.into()
}
