//! Files and equations with damage: a reader returns a value or an error, never panics, and what it says is short.

use crate::support::files::{directory, fixture, gzip};
use crate::support::panics::panic_of;
use std::path::Path;
use std::{env, fs};
use wengert::data::{csv, idx};
use wengert::io::{Checkpoint, Resume, npy, npz, safetensors};
use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::text::{BytePair, Characters, TokenFile, Words, write_tokens};
use wengert::training::Fit;
use wengert::{Error, Generator, einsum};

/// Environment variable for long runs: the number of damaged copies of each file.
const MUTATIONS: &str = "WENGERT_TEST_MUTATIONS";

/// Numbers at the ends of ranges.
const EXTREMES: [u64; 9] = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, 1 << 62, 1 << 32, u32::MAX as u64, 1 << 31];

/// Reads a file and prints what is in it.
type Read = fn(&Path) -> Result<String, Error>;

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

/// Reads damaged copies of a file.
fn check(name: &str, intact: &[u8], read: Read) {
    let directory = directory();
    let path = directory.path().join("file");
    fs::write(&path, intact).unwrap();
    read(&path).unwrap_or_else(|error| panic!("{name} is intact: {error}"));
    for seed in 0..copies() {
        let mut bytes = intact.to_vec();
        damage(&mut bytes, &mut wengert::rng(seed));
        fs::write(&path, &bytes).unwrap();
        let mut said = String::new();
        let panic = panic_of(|| said = read(&path).unwrap_or_else(|error| error.to_string()));
        if let Some(panic) = panic {
            panic!("{name}, seed {seed}: {} at {}:{}", panic.message, panic.file, panic.line);
        }
        assert!(said.len() < 100_000, "{name}, seed {seed}: {} bytes", said.len());
    }
}

fn print<'a>(tensors: impl IntoIterator<Item = &'a wengert::io::Array>) -> String {
    tensors.into_iter().map(|array| array.tensor::<f64>().to_string()).collect()
}

fn of_fixture(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

/// The bytes of a file that `write` makes.
fn written(write: impl FnOnce(&Path) -> Result<(), Error>) -> Vec<u8> {
    let directory = directory();
    let path = directory.path().join("file");
    write(&path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn damaged_arrays_are_read_or_refused() {
    check("npy", &of_fixture("single.npy"), |path| Ok(print([&npy::read(path)?])));
    for name in ["stored.npz", "deflated.npz"] {
        check(name, &of_fixture(name), |path| Ok(print(npz::read(path)?.values())));
    }
    for name in ["arrays.safetensors", "model.safetensors"] {
        check(name, &of_fixture(name), |path| Ok(print(safetensors::read(path)?.values())));
    }
}

#[test]
fn damaged_checkpoints_are_resumed_or_refused() {
    let bytes = written(|path| {
        let (mut model, mut optimizer) = (Linear::new(3, 2, Init::He, &mut wengert::rng(0)), Adam::new(0.1));
        let loss = model.forward(&Tape::new().constant([1.0, 2.0, 3.0])).sum();
        let mut fit = Fit::new(2);
        assert!(fit.next_epoch());
        _ = fit.batches(&mut wengert::rng(2), |_| [(); 5]);
        fit.step(loss, &mut model, &mut optimizer).unwrap();
        let checkpoint = Checkpoint::new().fit(&fit, &model).optimizer(&optimizer).generator(&wengert::rng(1));
        checkpoint.counter("n", 3).save(path)
    });
    check("checkpoint", &bytes, |path| {
        let mut model = Linear::<f32>::new(3, 2, Init::He, &mut wengert::rng(0));
        let (mut optimizer, mut rng, mut n) = (Adam::<f32>::new(0.1), wengert::rng(0), 0);
        let mut fit = Fit::new(2);
        let resume = Resume::new().fit(&mut fit, &mut model).optimizer(&mut optimizer).generator(&mut rng);
        resume.counter("n", &mut n).load(path)?;
        fit.next_epoch();
        _ = (fit.batches(&mut rng, |_| [(); 5]).count(), fit.history().to_csv(), fit.completed());
        let loss = model.forward(&Tape::new().constant([1.0, 2.0, 3.0])).sum();
        optimizer.step(&mut model, &loss.backward());
        Ok(model.weight.value().to_string())
    });
}

#[test]
fn damaged_data_sets_are_read_or_refused() {
    let bytes = [&[0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 40][..], &[7; 120]].concat();
    for (name, bytes) in [("idx", &bytes), ("gzipped idx", &gzip(&bytes))] {
        check(name, bytes, |path| Ok(format!("{:?}", idx::read(path)?.shape)));
        check(name, bytes, |path| Ok(idx::read_any(path)?.tensor::<f32>().to_string()));
    }
    let text = "height,width,\"a, b\"\n1,2.5,x\n-3e5,nan,\"y\"\"z\"\n,1,\n";
    check("csv", text.as_bytes(), |path| {
        let table = csv::Reader::new().missing(csv::Missing::Mean).read(path)?;
        let classes = table.classes(table.width() - 1)?.1;
        Ok(format!("{} {classes:?}", table.tensor(["height", "width"])?))
    });
}

#[test]
fn damaged_vocabularies_are_read_or_refused() {
    let text = "so so many words, and gods and dogs among the words";
    let words = written(|path| Words::new(text, 1).save(path));
    check("words", &words, |path| Ok(format!("{:?}", Words::load(path)?.encode("so many dogs"))));
    let characters = written(|path| Characters::new(text).save(path));
    check("characters", &characters, |path| Ok(format!("{:?}", Characters::load(path)?.encode("so many dogs").ok())));
    let pairs = written(|path| BytePair::train(text, 270).save(path));
    check("byte pairs", &pairs, |path| Ok(format!("{:?}", BytePair::load(path)?.encode("so many dogs"))));
    let tokens = written(|path| write_tokens(path, 1000, 0..50));
    check("tokens", &tokens, |path| {
        let file = TokenFile::open(path)?;
        Ok(format!("{:?}", file.read(0, file.len().min(10))?))
    });
}

#[test]
fn damaged_equations_are_evaluated_or_explained() {
    let (a, b) = (Tensor::<f32>::ones([2, 3, 4]), Tensor::ones([2, 4, 3]));
    let equations = ["bij,bjk->bik", "...ij,...jk->...ik", "iij , ijk -> ", "abc,acb"];
    for equation in equations {
        for seed in 0..copies() {
            let mut bytes = equation.as_bytes().to_vec();
            damage(&mut bytes, &mut wengert::rng(seed));
            let equation = String::from_utf8_lossy(&bytes).into_owned();
            let mut said = String::new();
            let panic = panic_of(|| said = einsum(&equation, &[&a, &b]).to_string());
            if let Some(panic) = panic {
                assert!(
                    panic.message.starts_with("einsum: ") && panic.file.ends_with("hostile.rs"),
                    "{}",
                    panic.message
                );
                said = panic.message;
            }
            assert!(said.len() < 10_000, "{equation:?}: {said}");
        }
    }
}
