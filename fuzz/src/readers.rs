//! What is done with a file of unknown origin. The fuzz targets and `tests/it/hostile.rs` share it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use wengert::data::{csv, idx};
use wengert::io::{Array, Resume, npy, npz, pytorch, safetensors};
use wengert::prelude::*;
use wengert::text::{BytePair, Characters, TokenFile, Words};
use wengert::training::Fit;
use wengert::{Error, einsum};

/// The largest text about a file.
const MOST_BYTES: usize = 100_000;

/// Reads a file and prints what is in it.
type Read = fn(&Path) -> Result<String, Error>;

/// The readers and parsers, by name; `fuzz/seeds` has a folder of files for each.
pub const READERS: [(&str, Read); 13] = [
    ("byte_pair", |path| Ok(format!("{:?}", BytePair::load(path)?.encode("so many dogs")))),
    ("characters", |path| Ok(format!("{:?}", Characters::load(path)?.encode("so many dogs").ok()))),
    ("checkpoint", checkpoint),
    ("csv", table),
    ("einsum", |path| Ok(equation(&fs::read(path).expect("it was written")))),
    ("idx", |path| {
        let shape = idx::read(path).map(|idx| idx.shape);
        Ok(format!("{shape:?} {}", idx::read_any(path)?.tensor::<f32>()))
    }),
    ("npy", |path| Ok(print([&npy::read(path)?]))),
    ("npy_rows", |path| {
        let file = npy::open::<f32>(path)?;
        Ok(file.read(0..file.len().min(3))?.to_string())
    }),
    ("npz", |path| Ok(print(npz::read(path)?.values()))),
    ("pytorch", |path| Ok(print(pytorch::read(path)?.values()))),
    ("safetensors", |path| Ok(print(safetensors::read(path)?.values()))),
    ("tokens", |path| {
        let file = TokenFile::open(path)?;
        Ok(format!("{:?}", file.read(0, file.len().min(10))?))
    }),
    ("words", |path| Ok(format!("{:?}", Words::load(path)?.encode("so many dogs")))),
];

/// Writes bytes to a path and reads them: neither may panic, and the text about them is of bounded length.
pub fn read(name: &str, path: &Path, bytes: &[u8]) -> Result<String, Error> {
    fs::write(path, bytes).expect("a place for files");
    let (_, read) = READERS.iter().find(|(other, _)| *other == name).expect("a reader of this name");
    let outcome = read(path);
    let length = outcome.as_ref().map_or_else(|error| error.to_string().len(), String::len);
    assert!(length < MOST_BYTES, "{name}: {length} bytes of text");
    outcome
}

fn print<'a>(arrays: impl IntoIterator<Item = &'a Array>) -> String {
    arrays.into_iter().map(|array| array.tensor::<f64>().to_string()).collect()
}

/// Resumes a run and takes a step, whatever was in the file.
fn checkpoint(path: &Path) -> Result<String, Error> {
    let mut model = Linear::<f32>::new(3, 2, Init::He, &mut wengert::rng(0));
    let (mut optimizer, mut rng, mut n) = (Adam::<f32>::new(0.1), wengert::rng(0), 0);
    let mut fit = Fit::new(2);
    let resume = Resume::new().fit(&mut fit, &mut model).optimizer(&mut optimizer).generator(&mut rng);
    let outcome = resume.counter("n", &mut n).load(path);
    fit.next_epoch();
    _ = (fit.batches(&mut rng, |_| [(); 5]).count(), fit.history().to_csv(), fit.completed());
    let loss = model.forward(&Tape::new().constant([1.0, 2.0, 3.0])).sum();
    optimizer.step(&mut model, &loss.backward());
    outcome.map(|()| model.weight.value().to_string())
}

fn table(path: &Path) -> Result<String, Error> {
    let table = csv::Reader::new().missing(csv::Missing::Mean).read(path)?;
    let classes = table.classes(table.width() - 1)?.1;
    Ok(format!("{} {classes:?}", table.tensor(["height", "width"])?))
}

/// Evaluates an equation, or explains it: a panic of `einsum` itself is an answer.
fn equation(bytes: &[u8]) -> String {
    let equation = String::from_utf8_lossy(bytes);
    let (a, b) = (Tensor::<f32>::ones([2, 3, 4]), Tensor::ones([2, 4, 3]));
    catch_unwind(AssertUnwindSafe(|| einsum(&equation, &[&a, &b]).to_string())).unwrap_or_else(|payload| {
        let message = payload.downcast::<String>().expect("a text");
        assert!(message.starts_with("einsum: ") && message.len() < 10_000, "{equation:?}: {message}");
        *message
    })
}
