//! Malformed files of every kind give an error: no panic, no hang, and no more memory than the file justifies.

use super::within_bounds;
use crate::support::files::{directory, fixture, message, overwrite};
use std::fs;
use std::path::Path;
use wengert::io::{self, Checkpoint, Resume, npy, npz, pytorch, safetensors};
use wengert::prelude::*;
use wengert::rand::RngExt;

/// Reads a file in every way and returns how many succeeded.
fn readings(path: &Path) -> usize {
    let (mut layer, mut optimizer) = (Linear::new(3, 2, Init::He, &mut wengert::rng(0)), Adam::new(0.1));
    let (mut rng, mut epoch) = (wengert::rng(0), 0);
    within_bounds(|| {
        let resume = Resume::new().model(&mut layer).optimizer(&mut optimizer).generator(&mut rng);
        let outcomes = [
            resume.counter("epoch", &mut epoch).load(path),
            io::load(&mut layer, path),
            safetensors::read(path).map(|_| ()),
            npz::read(path).map(|_| ()),
            npy::read(path).map(|_| ()),
            pytorch::read(path).map(|_| ()),
        ];
        // Training continues whatever was loaded.
        let loss = layer.forward(&Tape::new().constant(Tensor::ones([4, 3]))).sum();
        optimizer.step(&mut layer, &loss.backward());
        outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    })
}

/// Valid files of every kind.
fn intact() -> Vec<Vec<u8>> {
    let directory = directory();
    let path = directory.path().join("run.safetensors");
    let mut rng = wengert::rng(0);
    let mut model = Linear::new(3, 2, Init::He, &mut rng);
    let mut optimizer = Adam::new(0.1);
    let loss = model.forward(&Tape::new().constant([1.0, 2.0, 3.0])).sum();
    optimizer.step(&mut model, &loss.backward());
    Checkpoint::new().model(&model).optimizer(&optimizer).generator(&rng).counter("epoch", 1).save(&path).unwrap();
    let names = [
        "arrays.safetensors",
        "model.safetensors",
        "stored.npz",
        "deflated.npz",
        "single.npy",
        "bfloat16.npy",
        "kinds.pt",
    ];
    let fixtures = names.map(|name| fs::read(fixture(name)).unwrap());
    fixtures.into_iter().chain([fs::read(path).unwrap()]).collect()
}

#[test]
fn every_truncation_is_an_error() {
    let directory = directory();
    let path = directory.path().join("file");
    for bytes in intact() {
        overwrite(&path, &bytes);
        assert!(readings(&path) >= 1);
        for length in 0..bytes.len() {
            overwrite(&path, &bytes[..length]);
            assert_eq!(readings(&path), 0, "the first {length} bytes");
        }
        let longer = [&bytes[..], b"x"].concat();
        overwrite(&path, longer);
        // A zip archive may be followed by arbitrary data.
        assert_eq!(readings(&path), usize::from(bytes.starts_with(b"PK")));
    }
}

#[test]
fn changed_bytes_do_no_harm() {
    let directory = directory();
    let path = directory.path().join("file");
    let mut rng = wengert::rng(7);
    for bytes in intact() {
        let archive = bytes.starts_with(b"PK");
        let mut noticed = 0;
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] ^= rng.random_range(1..=255u8);
            }
            overwrite(&path, &bytes);
            noticed += usize::from(readings(&path) == 0);
        }
        // A checksum covers the contents of an archive; in other files a changed number goes unnoticed.
        assert!(noticed > if archive { 150 } else { 30 }, "{noticed} noticed");
    }
}

#[test]
fn files_that_are_none_are_errors_of_the_system() {
    let directory = directory();
    assert_eq!(message(safetensors::read(directory.path())), "not a regular file");
    assert_eq!(message(npz::read(directory.path())), "not a regular file");
    assert_eq!(message(npy::read(directory.path())), "not a regular file");
    let missing = directory.path().join("missing");
    assert_eq!(readings(&missing), 0);
    assert!(message(npz::read(&missing)).contains("No such file"));
}
