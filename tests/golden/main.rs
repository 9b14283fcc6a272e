//! Golden cases: what PyTorch computed, in double precision, for the same inputs.
//!
//! Runs every case of the JSON files in this directory, and of those in the directory that the environment
//! variable `GOLDEN_EXTRA` names. A case fails if a value is off, an operation panics, or the file is malformed.
//! It deviates if this crate has another value on purpose: see [`DEVIATIONS`].
//! It is unsupported, and never passes, if its operator, optimizer or the like, or one of its attributes, is not known here.

mod attention;
mod attributes;
mod check;
mod clipping;
mod compose;
mod formula;
mod functional;
mod initial;
mod json;
mod operators;
mod optimizers;
mod recurrent;
mod schedules;
mod shapes;
mod training;
mod windows;

use check::Tolerance;
use json::Value;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

/// Cases in which PyTorch has another value, and why.
const DEVIATIONS: [(&str, &str); 1] =
    [("edge/kl_div[2][2] reduction=sum", "a term of target 0 is 0, also where the score is −∞; there PyTorch has NaN")];

/// Why a case did not pass.
#[derive(Debug)]
enum Fault {
    /// What is wrong.
    Failed(String),
    /// What this program or the crate does not know.
    Unsupported(String),
}

/// What came of the cases: a line for each that did not pass, and the counts at the end.
#[derive(Default)]
struct Report {
    passed: usize,
    failed: Vec<String>,
    deviating: Vec<String>,
    unsupported: Vec<String>,
}

impl Report {
    fn add(&mut self, name: &str, outcome: Result<(), Fault>) {
        let deviation = DEVIATIONS.iter().find(|(case, _)| *case == name);
        match outcome {
            Ok(()) if deviation.is_some() => self.failed.push(format!("{name}: it no longer deviates")),
            Ok(()) => self.passed += 1,
            Err(Fault::Failed(reason)) => match deviation {
                Some((_, reason)) => self.deviating.push(format!("{name}: {reason}")),
                None => self.failed.push(format!("{name}: {reason}")),
            },
            Err(Fault::Unsupported(what)) => self.unsupported.push(format!("{name} ({what})")),
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.failed.iter().try_for_each(|line| writeln!(f, "failed: {line}"))?;
        self.deviating.iter().try_for_each(|line| writeln!(f, "deviates: {line}"))?;
        self.unsupported.iter().try_for_each(|line| writeln!(f, "unsupported: {line}"))?;
        let (failed, deviating, unsupported) = (self.failed.len(), self.deviating.len(), self.unsupported.len());
        let passed = self.passed;
        writeln!(f, "golden: {passed} passed, {failed} failed, {deviating} deviate, {unsupported} unsupported")
    }
}

fn main() -> ExitCode {
    // There is one test, which always runs as a whole: filters and the other options of a test binary do not apply.
    if env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let extra = env::var_os("GOLDEN_EXTRA").filter(|directory| !directory.is_empty()).map(PathBuf::from);
    let mut report = Report::default();
    for directory in std::iter::once(own).chain(extra) {
        match json_files(&directory) {
            Ok(files) => files.iter().for_each(|file| run_file(file, &mut report)),
            Err(error) => report.add(&directory.display().to_string(), Err(Fault::Failed(error.to_string()))),
        }
    }
    print!("{report}");
    if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The `*.json` files of a directory, by name.
fn json_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn run_file(path: &Path, report: &mut Report) {
    let family = path.file_stem().unwrap_or_default().to_string_lossy();
    let (file, cases) = match read_file(path) {
        Ok(parts) => parts,
        Err(fault) => return report.add(&family, Err(fault)),
    };
    for (number, case) in cases.iter().enumerate() {
        match json::field::<String>(case, "name") {
            Ok(name) => report.add(&format!("{family}/{name}"), run_case(&file, case)),
            Err(fault) => report.add(&format!("{family}/#{number}"), Err(fault)),
        }
    }
}

fn read_file(path: &Path) -> Result<(Value, Vec<Value>), Fault> {
    let text = fs::read_to_string(path).map_err(|error| Fault::Failed(error.to_string()))?;
    let file: Value = serde_json::from_str(&text).map_err(|error| Fault::Failed(format!("not JSON: {error}")))?;
    let cases = json::field(&file, "cases")?;
    Ok((file, cases))
}

fn run_case(file: &Value, case: &Value) -> Result<(), Fault> {
    let format: String = json::field(file, "format")?;
    if format != "golden-1" {
        return Err(Fault::Unsupported(format!("format {format}")));
    }
    let tolerance = Tolerance::of(file)?;
    let family = json::field::<Option<String>>(file, "family")?.unwrap_or_default();
    let check = || match family.as_str() {
        "optim" => optimizers::stream(file, case, &tolerance),
        "optim_functions" => optimizers::descent(case, &tolerance),
        "schedule" => schedules::case(case, &tolerance),
        "clip" => clipping::case(case, &tolerance),
        "init" => initial::case(case, &tolerance),
        "train" => training::train(file, case, &tolerance),
        "norm_running" => training::running(case, &tolerance),
        "attention" => attention::case(case, &tolerance),
        "functional" => functional::case(case, &tolerance),
        "rnn" => recurrent::case(case, &tolerance),
        _ if case.get("op").is_some() => check::case(case, &tolerance),
        family => Err(Fault::Unsupported(format!("family {family}"))),
    };
    check::quietly(check).unwrap_or_else(|message| Err(Fault::Failed(message)))
}
