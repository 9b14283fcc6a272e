//! The command line: what can be asked for, and what is said of a mistake.

use crate::network;
use clap::{Arg, ArgAction, Command, value_parser};
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wengert::optim::schedule::{Cosine, CosineWarmRestarts, Exponential, LinearRamp, OneCycle, Polynomial, StepDecay};
use wengert::optim::{AdaDelta, AdaGrad, Adamax, Group, Lion, NAdam, RAdam, RmsProp};
use wengert::prelude::*;

/// A rule with a learning rate that suits this task.
#[derive(Clone, Copy)]
struct Rule {
    learning_rate: f64,
    make: fn(f64) -> Box<dyn Optimizer>,
}

impl Rule {
    const fn new(learning_rate: f64, make: fn(f64) -> Box<dyn Optimizer>) -> Self {
        Rule { learning_rate, make }
    }
}

const RULES: [(&str, Rule); 12] = [
    ("sgd", Rule::new(0.5, |rate| Box::new(Sgd::new(rate)))),
    ("momentum", Rule::new(0.1, |rate| Box::new(Sgd::new(rate).momentum(0.9)))),
    ("nesterov", Rule::new(0.1, |rate| Box::new(Sgd::new(rate).momentum(0.9).nesterov()))),
    ("adagrad", Rule::new(0.03, |rate| Box::new(AdaGrad::new(rate)))),
    ("rmsprop", Rule::new(0.003, |rate| Box::new(RmsProp::new(rate)))),
    ("adadelta", Rule::new(1.0, |rate| Box::new(AdaDelta::new(rate)))),
    ("adam", Rule::new(0.002, |rate| Box::new(Adam::new(rate)))),
    ("adamw", Rule::new(0.002, |rate| Box::new(AdamW::new(rate).weight_decay(0.1)))),
    ("adamax", Rule::new(0.008, |rate| Box::new(Adamax::new(rate)))),
    ("nadam", Rule::new(0.004, |rate| Box::new(NAdam::new(rate)))),
    ("radam", Rule::new(0.008, |rate| Box::new(RAdam::new(rate)))),
    ("lion", Rule::new(0.0002, |rate| Box::new(Lion::new(rate)))),
];

const INITS: [(&str, Init); 6] = [
    ("he", Init::He),
    ("he-uniform", Init::HeUniform),
    ("xavier", Init::Xavier),
    ("xavier-uniform", Init::XavierUniform),
    ("lecun", Init::LeCun),
    ("lecun-uniform", Init::LeCunUniform),
];

/// Makes a schedule of a learning rate and of the number of steps in the whole training.
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
        let rise = steps.div_ceil(10);
        Box::new(LinearRamp::new(rate, rise).start_factor(0.1).then(rise, Cosine::new(rate, (steps - rise).max(1))))
    }),
];

/// What the command line asks for.
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
    pub resume: Option<PathBuf>,
    pub checkpoint: Option<PathBuf>,
    pub report: PathBuf,
    /// Every option with its value as text, for the report.
    pub settings: Vec<(String, String)>,
    rule: Rule,
    learning_rate: f64,
    weight_decay: Option<f64>,
    make_schedule: MakeSchedule,
}

impl Options {
    /// Reads the command line.
    pub fn parse() -> Result<Self, clap::Error> {
        let command = command();
        let names: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        let mut given = command.try_get_matches()?;
        let text = |name: &String| {
            let values: Vec<_> = given.get_raw(name)?.map(|value| value.to_string_lossy()).collect();
            Some((name.clone(), values.join(",")))
        };
        let settings = names.iter().filter_map(text).collect();
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        let rule: Rule = given.remove_one("optimizer").expect("has a default");
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
            resume: given.remove_one("resume"),
            checkpoint: given.remove_one("checkpoint"),
            report: given
                .remove_one("report")
                .unwrap_or_else(|| checkout.join("target").join(network::NAME).join("report.html")),
            settings,
            rule,
            learning_rate: given.remove_one("learning-rate").unwrap_or(rule.learning_rate),
            weight_decay: given.remove_one("weight-decay"),
            make_schedule: given.remove_one("schedule").expect("has a default"),
        };
        options.complete_settings();
        Ok(options)
    }

    /// Adds the settings whose default depends on the optimizer.
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

    /// Checks what depends on the number of images: the deviation of a single one is not defined.
    pub fn check(&self, images: usize) -> Result<(), String> {
        match self.batch_norm && (self.batch == 1 || images % self.batch == 1) {
            true => Err(format!("--batch-norm: of {images} images in batches of {} one is left alone", self.batch)),
            false => Ok(()),
        }
    }

    /// The optimizer, with no decay on biases and norms.
    pub fn optimizer(&self) -> Box<dyn Optimizer> {
        let mut optimizer = (self.rule.make)(self.learning_rate);
        let settings = optimizer.settings_mut();
        settings.weight_decay = self.weight_decay.unwrap_or(settings.weight_decay);
        settings
            .groups
            .push(Group::matching(|path| path.ends_with("bias") || path.starts_with("norms")).weight_decay(0.0));
        optimizer
    }

    /// The learning rate of each step of the whole training on so many images.
    pub fn schedule(&self, images: usize) -> Box<dyn Schedule> {
        (self.make_schedule)(self.learning_rate, self.steps(images).max(1))
    }

    /// The number of steps of the whole training on so many images.
    pub fn steps(&self, images: usize) -> usize {
        self.epochs * images.div_ceil(self.batch)
    }
}

/// All options, in the order of `--help`.
fn command() -> Command {
    let command = Command::new(network::NAME)
        .about(format!("Trains a {} to read handwritten digits", network::KIND))
        .args(network())
        .args(training())
        .args(files());
    network::DEFAULTS
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
        option("init", "RULE", format!("How the weights begin: {}", names(&INITS)))
            .default_value("he")
            .value_parser(one_of(&INITS)),
        Arg::new("batch-norm")
            .long("batch-norm")
            .action(ArgAction::SetTrue)
            .help("Normalises the hidden layers over each batch"),
        option("dropout", "SHARE", "Share of the hidden units that each step leaves out")
            .default_value("0.1")
            .value_parser(number("a number from 0 to less than 1", |share| (0.0..1.0).contains(&share))),
    ]
    .map(|argument| argument.help_heading("Network"))
}

fn training() -> [Arg; 8] {
    [
        option("optimizer", "RULE", format!("The rule of the steps: {}", names(&RULES)))
            .default_value("adam")
            .value_parser(one_of(&RULES)),
        option("learning-rate", "RATE", "The largest learning rate [default: what suits the optimizer]")
            .value_parser(number("a positive number", |rate| rate > 0.0 && rate.is_finite())),
        option("schedule", "CURVE", format!("How the learning rate changes: {}", names(&SCHEDULES)))
            .default_value("one-cycle")
            .value_parser(one_of(&SCHEDULES)),
        option("weight-decay", "FACTOR", "Pull of the weights towards 0 [default: 0; of adamw 0.1]")
            .value_parser(number("a number of 0 or more", |decay| decay >= 0.0 && decay.is_finite())),
        option("epochs", "N", "How often to go through the training set")
            .default_value("10")
            .value_parser(whole(0, 100_000)),
        option("batch", "N", "Images in a step").default_value("128").value_parser(whole(1, 60_000)),
        option("seed", "SEED", "Of weights and order: the same seed trains the same network")
            .default_value("0")
            .value_parser(value_parser!(u64)),
        option("limit", "N", "Trains on the first N images only").default_value("60000").value_parser(whole(1, 60_000)),
    ]
    .map(|argument| argument.help_heading("Training"))
}

fn files() -> [Arg; 6] {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");
    let path = || value_parser!(PathBuf);
    [
        option("data", "DIR", "Where the files of MNIST are").default_value(DATA).value_parser(path()),
        option("load", "FILE", "Begins with the model in a file").value_parser(path()),
        option("save", "FILE", "Writes the model to a file at the end, as safetensors").value_parser(writable),
        option("checkpoint", "FILE", "Writes all that --resume needs to a file after each epoch")
            .value_parser(writable),
        option("resume", "FILE", "Goes on after a checkpoint; give the options that it was made with")
            .value_parser(path())
            .conflicts_with("load"),
        option(
            "report",
            "FILE",
            format!(
                "Where the page about the training is written, and as .svg the tape [default: target/{}/report.html]",
                network::NAME
            ),
        )
        .value_parser(writable),
    ]
    .map(|argument| argument.help_heading("Files"))
}

/// The names in a table, for people.
fn names<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Reads one of the names in a table.
fn one_of<T: Copy + Send + Sync>(
    table: &'static [(&str, T)],
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| {
        let found = table.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| *value).ok_or_else(|| format!("not one of {}", names(table)))
    }
}

/// Reads a number of something. The bound keeps a slip of the finger from asking for terabytes.
fn whole(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |text| {
        let count = text.parse().ok().filter(|count| (least..=most).contains(count));
        count.ok_or_else(|| format!("not a number from {least} to {most}"))
    }
}

/// Reads a number for which something holds, which is given in words too.
fn number(
    expected: &'static str,
    holds: fn(f64) -> bool,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    move |text| text.parse().ok().filter(|&number| holds(number)).ok_or_else(|| format!("not {expected}"))
}

/// Reads the path of a file that shall be written at the end, so that it cannot come out then that there is no such place.
fn writable(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    match () {
        () if path.file_name().is_none() || path.is_dir() => Err("not a file".into()),
        () if !directory.is_dir() => Err(format!("there is no directory {directory:?}")),
        () => Ok(path),
    }
}

/// A path as one writes it in the checkout, if it is there.
pub fn short(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display().to_string()
}

/// Says what went wrong in one line, unless nobody is interested, and with which status to end.
pub fn explain(error: &(dyn Error + 'static)) -> ExitCode {
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let message = match error.downcast_ref::<clap::Error>() {
        // Not an error: the text of --help. If nobody reads it, that is fine.
        Some(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        // The first line is the message; usage follows, and perhaps what is alike.
        Some(_) => {
            let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let tip = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: "));
            tip.map_or(message.to_string(), |tip| format!("{message}; {tip}"))
        }
        // A file that does not fit has a line for each thing that does not.
        None => {
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let rest: Vec<&str> = rest.lines().map(str::trim).collect();
            [first, rest.join("; ").as_str()].join(if rest.is_empty() { "" } else { " " })
        }
    };
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::from(2)
}
