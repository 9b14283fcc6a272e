//! Files written and read by tests.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wengert::Error;
use wengert::io::Mismatch;
use wengert::prelude::*;

/// A file written by Python; see `tests/fixtures/make.py`.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// An empty directory for one test, removed at its end.
pub fn directory() -> TempDir {
    tempfile::tempdir().expect("there is a place for temporary files")
}

/// Writes a file anew: ext4 puts a file on the disk at once when it is truncated and written, which takes milliseconds.
pub fn overwrite(path: &Path, bytes: impl AsRef<[u8]>) {
    _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

/// The bits of all parameters and buffers.
pub fn bits(model: &dyn Module) -> Vec<u32> {
    let values = model.parameters().into_iter().flat_map(|(_, param)| param.value().to_vec());
    values.map(f32::to_bits).collect()
}

/// The mismatches listed by an error.
pub fn mismatches<X>(result: Result<X, Error>) -> Vec<String> {
    match result {
        Err(Error::Mismatch { mismatches, .. }) => mismatches.iter().map(Mismatch::to_string).collect(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("everything matches"),
    }
}

/// The text of an error without the leading path.
pub fn message<X>(result: Result<X, Error>) -> String {
    let text = result.err().expect("an error").to_string();
    text.split_once("\": ").expect("a path in front").1.into()
}

/// The names in a directory.
pub fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Compresses bytes with gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
