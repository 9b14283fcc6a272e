//! Files and equations with damage: a reader returns a value or an error, never panics, and what it says is short.

#[path = "../../fuzz/src/readers.rs"]
mod readers;

use crate::support::files::directory;
use crate::support::panics::panic_of;
use std::path::{Path, PathBuf};
use std::{env, fs};
use wengert::Generator;
use wengert::io::Checkpoint;
use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::text::{BytePair, Characters, Words, write_tokens};
use wengert::training::Fit;

/// Environment variable for long runs: the number of damaged copies of each file.
const MUTATIONS: &str = "WENGERT_TEST_MUTATIONS";

/// Numbers at the ends of ranges.
const EXTREMES: [u64; 9] = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, 1 << 62, 1 << 32, u32::MAX as u64, 1 << 31];

fn copies() -> u64 {
    env::var(MUTATIONS).map_or(300, |count| count.parse().expect("a number"))
}

/// Damages bytes: flips bits, cuts off the end, repeats or removes a part, or writes an extreme number into a field.
fn damage(bytes: &mut Vec<u8>, rng: &mut Generator) {
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            return;
        }
        let from = rng.random_range(0..bytes.len());
        let to = (from + rng.random_range(1..40)).min(bytes.len());
        match rng.random_range(0..6) {
            0 => bytes[from] ^= 1 << rng.random_range(0..8),
            1 => bytes[from] = b"\0\x01\x7f\x80\xff0,.-\n\"{[ "[rng.random_range(0..14)],
            2 => bytes.truncate(from),
            3 => _ = bytes.splice(from..from, bytes[from..to].to_vec()),
            4 => _ = bytes.drain(from..to),
            _ => {
                let number = EXTREMES[rng.random_range(0..EXTREMES.len())];
                let field = 1usize << rng.random_range(0..4);
                let encoded =
                    if rng.random() { number.to_le_bytes() } else { (number << (64 - 8 * field)).to_be_bytes() };
                bytes.iter_mut().skip(from).zip(&encoded[..field]).for_each(|(byte, new)| *byte = *new);
            }
        }
    }
}

/// Reads the files of a folder of seeds and damaged copies of each. Those whose names begin with `intact` have no fault.
fn check(name: &str) {
    let directory = directory();
    let path = directory.path().join("file");
    let mut intact = 0;
    let mut seeds: Vec<_> = fs::read_dir(seeds(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        let outcome = readers::read(name, &path, &bytes);
        if seed.file_name().unwrap().to_str().unwrap().starts_with("intact") {
            outcome.unwrap_or_else(|error| panic!("{} is intact: {error}", seed.display()));
            intact += 1;
        }
        for number in 0..copies() {
            let mut bytes = bytes.clone();
            damage(&mut bytes, &mut wengert::rng(number));
            _ = fs::remove_file(&path); // what `overwrite` is for
            let panic = panic_of(|| _ = readers::read(name, &path, &bytes));
            if let Some(panic) = panic {
                panic!("{}, copy {number}: {} at {}:{}", seed.display(), panic.message, panic.file, panic.line);
            }
        }
    }
    assert!(intact > 0, "{name} has no seed that is intact");
}

/// The folder of the files of a reader, in which the fuzz targets begin too.
fn seeds(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(name)
}

#[test]
fn damaged_files_are_read_or_refused() {
    readers::READERS.iter().for_each(|(name, _)| check(name));
}

/// Writes the seeds that this crate makes itself: `cargo test --test it seeds -- --ignored`.
#[test]
#[ignore = "it changes files of the repository"]
fn seeds_of_own_formats_are_written() {
    let text = "so so many words, and gods and dogs among the words";
    Words::new(text, 1).save(seeds("words").join("intact")).unwrap();
    Characters::new(text).save(seeds("characters").join("intact")).unwrap();
    BytePair::train(text, 270).save(seeds("byte_pair").join("intact")).unwrap();
    write_tokens(seeds("tokens").join("intact"), 1000, 0..50).unwrap();

    let (mut model, mut optimizer) = (Linear::new(3, 2, Init::He, &mut wengert::rng(0)), Adam::new(0.1));
    let loss = model.forward(&Tape::new().constant([1.0, 2.0, 3.0])).sum();
    let mut fit = Fit::new(2);
    assert!(fit.next_epoch());
    _ = fit.batches(&mut wengert::rng(2), |_| [(); 5]);
    fit.step(loss, &mut model, &mut optimizer).unwrap();
    let checkpoint = Checkpoint::new().fit(&fit, &model).optimizer(&optimizer).generator(&wengert::rng(1));
    checkpoint.counter("n", 3).save(seeds("checkpoint").join("intact")).unwrap();
}
