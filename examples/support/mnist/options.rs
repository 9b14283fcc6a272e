//! The command line and its error messages.

use crate::support::checkout;
use crate::support::mnist::training::DIVERGED;
use crate::support::mnist::{Network, interrupt};
use clap::{Arg, Command, value_parser};
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wengert::optim::schedule::{Cosine, CosineWarmRestarts, Exponential, LinearRamp, OneCycle, Polynomial, StepDecay};
use wengert::optim::{AdaDelta, AdaGrad, Adamax, Group, Lion, NAdam, RAdam, RmsProp};
use wengert::prelude::*;
use wengert::training::Diverged;

/// An optimizer with a default learning rate for this task.
#[derive(Clone, Copy)]
struct Choice {
    learning_rate: f64,
    make: fn(f64) -> Box<dyn Optimizer>,
}

impl Choice {
    const fn new(learning_rate: f64, make: fn(f64) -> Box<dyn Optimizer>) -> Self {
        Choice { learning_rate, make }
    }
}

const OPTIMIZERS: [(&str, Choice); 12] = [
    ("sgd", Choice::new(0.5, |rate| Box::new(Sgd::new(rate)))),
    ("momentum", Choice::new(0.1, |rate| Box::new(Sgd::new(rate).momentum(0.9)))),
    ("nesterov", Choice::new(0.1, |rate| Box::new(Sgd::new(rate).momentum(0.9).nesterov()))),
    ("adagrad", Choice::new(0.03, |rate| Box::new(AdaGrad::new(rate)))),
    ("rmsprop", Choice::new(0.003, |rate| Box::new(RmsProp::new(rate)))),
    ("adadelta", Choice::new(1.0, |rate| Box::new(AdaDelta::new(rate)))),
    ("adam", Choice::new(0.002, |rate| Box::new(Adam::new(rate)))),
    ("adamw", Choice::new(0.002, |rate| Box::new(AdamW::new(rate).weight_decay(0.1)))),
    ("adamax", Choice::new(0.008, |rate| Box::new(Adamax::new(rate)))),
    ("nadam", Choice::new(0.004, |rate| Box::new(NAdam::new(rate)))),
    ("radam", Choice::new(0.008, |rate| Box::new(RAdam::new(rate)))),
    ("lion", Choice::new(0.0002, |rate| Box::new(Lion::new(rate)))),
];

const INITS: [(&str, Init); 6] = [
    ("he", Init::He),
    ("he-uniform", Init::HeUniform),
    ("xavier", Init::Xavier),
    ("xavier-uniform", Init::XavierUniform),
    ("lecun", Init::LeCun),
    ("lecun-uniform", Init::LeCunUniform),
];

/// Builds a schedule from the peak learning rate and the total number of training steps.
type MakeSchedule = fn(f64, usize) -> Box<dyn Schedule>;

const SCHEDULES: [(&str, MakeSchedule); 8] = [
    ("constant", |rate, _| Box::new(move |_: usize| rate)),
    ("linear", |rate, steps| Box::new(Polynomial::new(rate, steps))),
    ("cosine", |rate, steps| Box::new(Cosine::new(rate, steps))),
    ("restarts", |rate, steps| Box::new(CosineWarmRestarts::new(rate, steps.div_ceil(7)).growth(2))),
    ("step", |rate, steps| Box::new(StepDecay::new(rate, steps.div_ceil(3)))),
    ("exponential", |rate, steps| Box::new(Exponential::new(rate, 0.01f64.powf(1.0 / steps as f64)))),
    ("one-cycle", |rate, steps| Box::new(OneCycle::new(rate, steps))),
    ("warm-up", |rate, steps| {
        let warmup = steps.div_ceil(10);
        Box::new(
            LinearRamp::new(rate, warmup).start_factor(0.1).then(warmup, Cosine::new(rate, (steps - warmup).max(1))),
        )
    }),
];

/// The options of the command line.
pub struct Options {
    pub hidden: Vec<usize>,
    pub init: Init,
    pub batch_norm: bool,
    pub dropout: f64,
    pub epochs: usize,
    pub batch: usize,
    pub seed: u64,
    pub limit: usize,
    pub data: PathBuf,
    pub load: Option<PathBuf>,
    pub save: Option<PathBuf>,
    pub onnx: Option<PathBuf>,
    pub resume: Option<PathBuf>,
    pub checkpoint: Option<PathBuf>,
    pub keep: Option<usize>,
    pub clip_norm: Option<f64>,
    pub tensorboard: Option<PathBuf>,
    pub report: PathBuf,
    /// Every option and its value as text, for the report.
    pub settings: Vec<(String, String)>,
    make_optimizer: fn(f64) -> Box<dyn Optimizer>,
    learning_rate: f64,
    weight_decay: Option<f64>,
    make_schedule: MakeSchedule,
}

impl Options {
    /// Parses the command line.
    pub fn parse<N: Network>() -> Result<Self, clap::Error> {
        let command = command::<N>();
        let names: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        let mut given = command.try_get_matches()?;
        let text = |name: &String| {
            let values: Vec<_> = given.get_raw(name)?.map(|value| value.to_string_lossy()).collect();
            Some((name.clone(), values.join(",")))
        };
        let settings = names.iter().filter_map(text).collect();
        let checkout = checkout::root();
        let optimizer: Choice = given.remove_one("optimizer").expect("has a default");
        let mut options = Options {
            hidden: given.remove_many("hidden").expect("has a default").collect(),
            init: given.remove_one("init").expect("has a default"),
            batch_norm: given.get_flag("batch-norm"),
            dropout: given.remove_one("dropout").expect("has a default"),
            epochs: given.remove_one("epochs").expect("has a default"),
            batch: given.remove_one("batch").expect("has a default"),
            seed: given.remove_one("seed").expect("has a default"),
            limit: given.remove_one("limit").expect("has a default"),
            data: given.remove_one("data").expect("has a default"),
            load: given.remove_one("load"),
            save: given.remove_one("save"),
            onnx: given.remove_one("onnx"),
            resume: given.remove_one("resume"),
            checkpoint: given.remove_one("checkpoint"),
            keep: given.remove_one("keep"),
            clip_norm: given.remove_one("clip-norm"),
            tensorboard: given.remove_one("tensorboard"),
            report: given
                .remove_one("report")
                .unwrap_or_else(|| checkout.join("target").join(N::EXAMPLE).join("report.html")),
            settings,
            make_optimizer: optimizer.make,
            learning_rate: given.remove_one("learning-rate").unwrap_or(optimizer.learning_rate),
            weight_decay: given.remove_one("weight-decay"),
            make_schedule: given.remove_one("schedule").expect("has a default"),
        };
        options.complete_settings();
        Ok(options)
    }

    /// Adds the settings whose defaults depend on the optimizer.
    fn complete_settings(&mut self) {
        let optimizer = self.optimizer();
        let weight_decay = optimizer.settings().weight_decay;
        for (name, value) in [("learning-rate", self.learning_rate), ("weight-decay", weight_decay)] {
            if self.settings.iter().all(|(other, _)| other != name) {
                self.settings.push((name.into(), value.to_string()));
            }
        }
        self.settings.sort();
    }

    /// Refuses batch normalization if one batch would be a single image, which has no variance.
    pub fn check(&self, images: usize) -> Result<(), String> {
        match self.batch_norm && (self.batch == 1 || images % self.batch == 1) {
            true => Err(format!("--batch-norm: {images} images in batches of {} leave a batch of one", self.batch)),
            false => Ok(()),
        }
    }

    /// The optimizer, without weight decay on biases and normalization layers.
    pub fn optimizer(&self) -> Box<dyn Optimizer> {
        let mut optimizer = (self.make_optimizer)(self.learning_rate);
        let settings = optimizer.settings_mut();
        settings.weight_decay = self.weight_decay.unwrap_or(settings.weight_decay);
        settings
            .groups
            .push(Group::matching(|path| path.ends_with("bias") || path.starts_with("norms")).weight_decay(0.0));
        optimizer
    }

    /// The learning-rate schedule for training on the given number of images.
    pub fn schedule(&self, images: usize) -> Box<dyn Schedule> {
        (self.make_schedule)(self.learning_rate, self.steps(images).max(1))
    }

    /// The total number of training steps for the given number of images.
    pub fn steps(&self, images: usize) -> usize {
        self.epochs * images.div_ceil(self.batch)
    }
}

/// All options, in the order of `--help`.
fn command<N: Network>() -> Command {
    let command = Command::new(N::EXAMPLE)
        .about(format!("Trains a {} to recognize handwritten digits", N::KIND))
        .args(network())
        .args(training())
        .args(files(N::EXAMPLE))
        .after_help(statuses());
    N::DEFAULTS
        .iter()
        .fold(command, |command, (name, value)| command.mut_arg(name, |argument| argument.default_value(*value)))
}

/// An option that takes a value.
fn option(name: &'static str, value: &'static str, help: impl Into<String>) -> Arg {
    Arg::new(name).long(name).value_name(value).allow_negative_numbers(true).help(help.into())
}

fn network() -> [Arg; 4] {
    [
        option("hidden", "N,…", "Sizes of the hidden layers")
            .default_value("256,128")
            .value_delimiter(',')
            .value_parser(whole(1, 10_000)),
        option("init", "RULE", format!("Weight initialization: {}", names(&INITS)))
            .default_value("he")
            .value_parser(one_of(&INITS)),
        option("batch-norm", "BOOL", "Adds batch normalization to the hidden layers, --batch-norm=false leaves it out")
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_parser(value_parser!(bool)),
        option("dropout", "RATE", "Dropout rate of the hidden units")
            .default_value("0.1")
            .value_parser(number("a number from 0 to less than 1", |rate| (0.0..1.0).contains(&rate))),
    ]
    .map(|argument| argument.help_heading("Network"))
}

fn training() -> [Arg; 9] {
    [
        option("optimizer", "RULE", format!("Optimizer: {}", names(&OPTIMIZERS)))
            .default_value("adam")
            .value_parser(one_of(&OPTIMIZERS)),
        option("learning-rate", "RATE", "Peak learning rate [default: depends on the optimizer]")
            .value_parser(number("a positive number", |rate| rate > 0.0 && rate.is_finite())),
        option("schedule", "CURVE", format!("Learning-rate schedule: {}", names(&SCHEDULES)))
            .default_value("one-cycle")
            .value_parser(one_of(&SCHEDULES)),
        option("weight-decay", "FACTOR", "Weight decay [default: 0; 0.1 for adamw]")
            .value_parser(number("a number of 0 or more", |decay| decay >= 0.0 && decay.is_finite())),
        option("clip-norm", "NORM", "Scales gradients down to this norm")
            .value_parser(number("a positive number", |bound| bound > 0.0 && bound.is_finite())),
        option("epochs", "N", "Passes over the training set").default_value("10").value_parser(whole(0, 100_000)),
        option("batch", "N", "Batch size").default_value("128").value_parser(whole(1, 60_000)),
        option("seed", "SEED", "Random seed: the same seed trains the same network")
            .default_value("0")
            .value_parser(|text: &str| text.parse::<u64>().map_err(|_| "not a whole number from 0")),
        option("limit", "N", "Trains on the first N images only").default_value("60000").value_parser(whole(1, 60_000)),
    ]
    .map(|argument| argument.help_heading("Training"))
}

/// The exit statuses, for the end of `--help`.
fn statuses() -> String {
    format!(
        "Exit status: 0 after training, 2 for an error, {} if the loss or a parameter is not finite, {} after Ctrl-C, SIGTERM or \
         SIGHUP, also under nohup: the run ends after the current step, with checkpoint and report; a second signal ends it at once.",
        DIVERGED,
        interrupt::STATUS
    )
}

fn files(example: &str) -> [Arg; 9] {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/mnist");
    let path = || value_parser!(PathBuf);
    [
        option("data", "DIR", "Directory of the MNIST files [default: data/mnist of the repository]")
            .default_value(DATA)
            .hide_default_value(true)
            .value_parser(path()),
        option("load", "FILE", "Starts from a saved model").value_parser(path()),
        option("save", "FILE", "Saves the trained model as safetensors").value_parser(writable),
        option("onnx", "FILE", "Exports the trained model to ONNX, with images and their scores as .npz beside it")
            .value_parser(writable),
        option("checkpoint", "FILE", "Writes a checkpoint for --resume after each epoch").value_parser(writable),
        option(
            "keep",
            "N",
            "Keeps the checkpoints of the last N epochs and the best one, with .epoch-… and .best in their names",
        )
        .value_parser(whole(1, 100_000))
        .requires("checkpoint"),
        option("resume", "FILE", "Continues from a checkpoint; give the same options as for the first run")
            .value_parser(path())
            .conflicts_with("load"),
        option("tensorboard", "DIR", "Writes curves, histograms and the graph for TensorBoard").value_parser(path()),
        option(
            "report",
            "FILE",
            format!("HTML report, with the tape as .svg beside it [default: target/{example}/report.html]"),
        )
        .value_parser(writable),
    ]
    .map(|argument| argument.help_heading("Files"))
}

/// The names in a table, as a list for messages.
fn names<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Parses one of the names in a table.
fn one_of<T: Copy + Send + Sync>(
    table: &'static [(&str, T)],
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| {
        let found = table.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| *value).ok_or_else(|| format!("not one of {}", names(table)))
    }
}

/// Parses a count. The upper bound keeps a typo from allocating terabytes.
fn whole(min: usize, max: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |text| {
        let count = text.parse().ok().filter(|count| (min..=max).contains(count));
        count.ok_or_else(|| format!("not a number from {min} to {max}"))
    }
}

/// Parses a number that satisfies a condition; `expected` describes it.
fn number(
    expected: &'static str,
    holds: fn(f64) -> bool,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    move |text| text.parse().ok().filter(|&number| holds(number)).ok_or_else(|| format!("not {expected}"))
}

/// Parses the path of an output file and fails early if its directory does not exist.
fn writable(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    match () {
        () if path.file_name().is_none() || path.is_dir() => Err("not a file".into()),
        () if !directory.is_dir() => Err(format!("there is no directory {directory:?}")),
        () => Ok(path),
    }
}

/// Prints an error in one line and returns the exit status. A closed pipe is not an error.
pub fn report_error(error: &(dyn Error + 'static)) -> ExitCode {
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let message = match error.downcast_ref::<clap::Error>() {
        // The text of --help, which is not an error. A closed pipe does not matter here either.
        Some(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        // The first line is the message; the usage and perhaps a suggestion follow.
        Some(_) => {
            let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let tip = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: "));
            tip.map_or(message.to_string(), |tip| format!("{message}; {tip}"))
        }
        // A file that does not match the model has one line per mismatch.
        None => {
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let rest: Vec<&str> = rest.lines().map(str::trim).collect();
            [first, rest.join("; ").as_str()].join(if rest.is_empty() { "" } else { " " })
        }
    };
    let (options, status) = match error.is::<Diverged>() {
        true => ("; see --learning-rate, --schedule, --weight-decay and --clip-norm", DIVERGED),
        false => ("", 2),
    };
    let _ = writeln!(io::stderr(), "error: {message}{options}");
    ExitCode::from(status)
}
