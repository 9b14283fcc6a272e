//! A language model with the architecture of GPT-2: `cargo run --release --example 20_gpt`.
//!
//! It reads characters, is trained to predict the next one, and then writes. The text is this crate's own source, or any file:
//! `-- --text shakespeare.txt`. The last tenth is held out, to measure the loss on text that the model has not seen.
//!
//! The model is that of Karpathy's nanoGPT, and so are the names of its parameters. `--nano-gpt` sets the sizes and options of the
//! command for a CPU in the README of that repository. Checkpoints are written during training; `--resume` continues from the last.
//! `--help` lists the options.

mod support {
    pub mod command;
    pub mod gpt;
}

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};
use support::command::start;
use support::gpt::{Gpt, Sizes};
use wengert::io::onnx::Export;
use wengert::io::{Array, Checkpoint, Integers, Resume, npz};
use wengert::metrics::Mean;
use wengert::optim::Group;
use wengert::optim::schedule::{Cosine, LinearRamp};
use wengert::prelude::*;
use wengert::text::{Categorical, Characters, Windows};

/// What determines a run, apart from the text.
struct Settings {
    sizes: Sizes,
    batch: usize,
    steps: usize,
    /// Steps between two measurements.
    interval: usize,
}

impl Settings {
    fn new(matches: &ArgMatches) -> Self {
        let sizes = |layers, heads, width| Sizes { vocabulary: 0, positions: 64, layers, heads, width };
        let mut settings = match (matches.get_flag("nano-gpt"), matches.get_flag("quick")) {
            (true, _) => Settings { sizes: sizes(4, 4, 128), batch: 12, steps: 2000, interval: 250 },
            (false, true) => Settings { sizes: sizes(1, 2, 16), batch: 2, steps: 20, interval: 10 },
            (false, false) => Settings { sizes: sizes(3, 4, 96), batch: 8, steps: 800, interval: 100 },
        };
        settings.steps = matches.get_one("steps").copied().unwrap_or(settings.steps);
        settings
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let matches = start(include_str!("20_gpt.rs"), options());
    let mut settings = Settings::new(&matches);
    let text = match matches.get_one::<PathBuf>("text") {
        Some(path) => fs::read_to_string(path)?,
        None => own_text(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))?,
    };
    let vocabulary = Characters::new(&text);
    let tokens = vocabulary.encode(&text)?;
    let (train, held_out) = tokens.split_at(tokens.len() / 10 * 9);
    settings.sizes.vocabulary = vocabulary.len();

    let mut rng = wengert::rng(1337);
    let mut model = Gpt::new(settings.sizes, &mut rng);
    let (characters, parameters) = (vocabulary.len(), model.parameter_count());
    println!("{} tokens of {characters} characters, {parameters} parameters", tokens.len());
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("gpt.safetensors");
    let checkpoint = matches.get_one("checkpoint").cloned().unwrap_or_else(target);
    let begin = Instant::now();
    training(&mut model, &settings, [train, held_out], &mut rng, &checkpoint, matches.get_flag("resume"))?;
    let seconds = begin.elapsed().as_secs_f64();
    let held_out = if matches.get_flag("quick") { &held_out[..500] } else { held_out };
    println!(
        "loss on all of the held-out text: {:.4}, after {seconds:.1} s",
        loss_on(&model, held_out, settings.batch)
    );

    if let Some(path) = matches.get_one::<PathBuf>("onnx") {
        export(&model, held_out, path)?;
    }
    let count = if matches.get_flag("quick") { 100 } else { 500 };
    println!("\n{}", vocabulary.decode(&generate(&model, count, &mut rng)));
    Ok(())
}

fn options() -> [Arg; 6] {
    let path = |name| Arg::new(name).long(name).value_parser(value_parser!(PathBuf));
    let flag = |name| Arg::new(name).long(name).action(ArgAction::SetTrue);
    [
        path("text").help("The text [default: this crate's own source]"),
        path("checkpoint").help("The file of the checkpoint [default: target/gpt.safetensors]"),
        path("onnx").help("Exports the model to this file, with tokens and their scores as .npz beside it"),
        flag("resume").help("Continues from the checkpoint"),
        flag("nano-gpt").help("The sizes of nanoGPT's command for a CPU: 4 layers of 4 heads, 128 wide, 2000 steps"),
        Arg::new("steps").long("steps").value_parser(value_parser!(usize)).help("The number of training steps"),
    ]
}

/// The sources and the documentation of the crate, in the order of their paths.
fn own_text(root: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut entries = ["src", "docs", "README.md", "ARCHITECTURE.md"].map(|name| root.join(name)).to_vec();
    entries.reverse();
    while let Some(path) = entries.pop() {
        if path.is_dir() {
            let mut inner = fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            // Without the guide in Japanese.
            inner.retain(|path| path.file_stem().is_some_and(|name| name != "ja"));
            inner.sort();
            entries.extend(inner.into_iter().rev());
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            text.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(text)
}

/// Trains to the last step; writes a checkpoint at each measurement.
fn training(
    model: &mut Gpt,
    settings: &Settings,
    [train, held_out]: [&[usize]; 2],
    rng: &mut wengert::Generator,
    checkpoint: &Path,
    resume: bool,
) -> Result<(), wengert::Error> {
    let (peak, warmup) = (1e-3, (settings.steps / 20).max(1));
    let cosine = Cosine::new(peak, (settings.steps - warmup).max(1)).minimum(peak / 10.0);
    let schedule = LinearRamp::new(peak, warmup).start_factor(0.01).then(warmup, cosine);
    // Only matrices decay.
    let mut optimizer =
        AdamW::new(peak).betas(0.9, 0.99).weight_decay(0.1).group(Group::matching(is_vector).weight_decay(0.0));
    let mut step = 0;
    if resume {
        Resume::new()
            .model(model)
            .optimizer(&mut optimizer)
            .generator(rng)
            .counter("step", &mut step)
            .load(checkpoint)?;
    }
    let windows = Windows::new(train, settings.sizes.positions);
    let mut losses = Mean::new();
    while step < settings.steps {
        let batch = windows.sample(settings.batch, rng);
        let tape = Tape::training(rng);
        let loss = model.forward(&tape, &batch.inputs).flatten(0, 1).softmax_cross_entropy(&batch.targets);
        losses.add(loss.item());
        let mut gradients = loss.backward();
        gradients.clip_norm(1.0);
        optimizer.set_learning_rate(schedule.at(step));
        optimizer.step(model, &gradients);
        step += 1;
        if step % settings.interval == 0 || step == settings.steps {
            let sample = &held_out[..held_out.len().min(20 * settings.batch * settings.sizes.positions)];
            let (training, validation) = (losses.value(), loss_on(model, sample, settings.batch));
            println!("step {step:5}: loss {training:.4} in training, {validation:.4} on held-out text");
            losses = Mean::new();
            Checkpoint::new()
                .model(&*model)
                .optimizer(&optimizer)
                .generator(rng)
                .counter("step", step)
                .save(checkpoint)?;
        }
    }
    Ok(())
}

/// Exports the model to ONNX. Beside it are tokens and their scores, to compare those of other programs with.
fn export(model: &Gpt, text: &[usize], path: &Path) -> Result<(), wengert::Error> {
    let positions = model.positions();
    let tokens = Indices::new(&text[..2 * positions], [2, positions]);
    let scores = model.forward(&Tape::inference(), &tokens);
    let integers = Integers::new(tokens.as_slice().iter().map(|&token| token as i64).collect(), tokens.shape());
    npz::write([("tokens", integers.into()), ("scores", Array::from(scores.value()))], path.with_extension("npz"))?;
    let export = Export::new(model).indices("tokens", tokens).any_batch();
    export.save(|inputs| vec![("scores", model.forward(inputs.tape(), &inputs.indices("tokens")))], path)
}

/// Whether a parameter is the weight of a normalization.
fn is_vector(path: &str) -> bool {
    path.contains("ln_")
}

/// The mean loss on consecutive windows of a text.
fn loss_on(model: &Gpt, text: &[usize], batch: usize) -> f64 {
    let mut mean = Mean::new();
    for windows in Windows::new(text, model.positions()).streams(batch) {
        let scores = model.forward(&Tape::inference(), &windows.inputs).flatten(0, 1);
        mean.add_weighted(scores.softmax_cross_entropy(&windows.targets).item(), windows.targets.len() as f64);
    }
    mean.value()
}

/// Writes characters one by one, with a cache of the keys and values of those before.
fn generate(model: &Gpt, count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut text = vec![0];
    let mut caches = model.caches(1);
    // What the model has not read yet.
    let mut next = text.clone();
    while text.len() < count {
        if caches[0].len() + next.len() > caches[0].capacity() {
            // The positions are used up: it reads the last characters again, as the first ones.
            caches.iter_mut().for_each(|cache| cache.truncate(0));
            next = text[text.len() - model.positions() / 2..].to_vec();
        }
        let scores = model.forward_cached(&Tape::inference(), &Indices::new(next, [1, -1]), &mut caches);
        let last = scores.value().select(1, -1);
        next = Categorical::new(&last).temperature(0.8).sample(rng).as_slice().to_vec();
        text.extend(&next);
    }
    text
}
