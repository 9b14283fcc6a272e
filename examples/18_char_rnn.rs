//! A recurrent network that writes: an LSTM learns the characters of a text.
//!
//! `cargo run --release --example 18_char_rnn` learns from the sources of this crate; `-- --text FILE` takes any other text file, and
//! `--steps N` trains longer or shorter.
//! The network reads character after character and predicts the next one (Karpathy 2015, "The Unreasonable Effectiveness of
//! Recurrent Neural Networks"). The text is cut into parallel streams, which are read in windows: the state is carried from one
//! window to the next, the gradient is not.
//!
//! Predictions are measured in bits per character on the last twentieth of the text, which is not trained on, next to those of n-gram
//! models: counts of what followed the last n − 1 characters, smoothed by those of shorter contexts.

mod support {
    pub mod command;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use clap::{Arg, value_parser};
use std::collections::HashMap;
use std::error::Error;
use std::f64::consts::LN_2;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use support::command::start;
use support::figure::{Outcome, figure, quick};
use support::lines::{Line, lines};
use wengert::io::onnx::Export;
use wengert::io::{Array, Integers, npz};
use wengert::prelude::*;
use wengert::text::{Categorical, Characters, Tokenizer, Windows};

/// Parallel streams, and the characters of a window.
const STREAMS: usize = 50;
const WINDOW: usize = 50;
/// The longest n-gram.
const GRAMS: usize = 6;

struct Network {
    embedding: Embedding,
    lstm: Lstm,
    output: Linear,
}
module!(Network { embedding, lstm, output });

impl Network {
    fn new(characters: usize, hidden: usize, rng: &mut impl Rng) -> Self {
        Network {
            embedding: Embedding::new(characters, hidden, Init::Normal(1.0), rng),
            lstm: Lstm::with_options(hidden, hidden, Recurrent::new().layers(2), rng),
            output: Linear::new(hidden, characters, Init::LeCunUniform, rng),
        }
    }

    /// The scores of the next characters, a row for each of `[T, N]`, and the state after the last.
    fn forward(&self, tape: &Tape, inputs: impl Into<Indices>, state: Option<&LstmState>) -> (Var, LstmState) {
        let (h, state) = self.lstm.forward_state(&self.embedding.forward(tape, inputs), state);
        (self.output.forward(&h.flatten(0, 1)), state)
    }

    /// The mean loss on a text in bits per character.
    fn bits(&self, tokens: &[usize]) -> f64 {
        let (mut state, mut total, mut count) = (None, 0.0, 0);
        for batch in Windows::new(tokens, WINDOW).time_first().streams(STREAMS) {
            let tape = Tape::inference();
            let before = state.map(|state: LstmState| state.on(&tape));
            let (scores, after) = self.forward(&tape, batch.inputs, before.as_ref());
            total += f64::from(scores.softmax_cross_entropy(&batch.targets).item()) * batch.targets.len() as f64;
            count += batch.targets.len();
            state = Some(after);
        }
        total / count as f64 / LN_2
    }

    /// Characters drawn one after the other, each an input of the next step.
    fn write(&self, first: usize, count: usize, temperature: f64, rng: &mut impl Rng) -> Vec<usize> {
        let tape = Tape::inference();
        let (mut written, mut state) = (vec![first], None);
        for k in 0..count {
            let (scores, after) = self.forward(&tape, [[written[k]]], state.as_ref());
            written.push(Categorical::new(scores.value()).temperature(temperature).sample(rng).as_slice()[0]);
            state = Some(after);
        }
        written
    }

    /// Exports the step from a character and a state to scores and a state, with which another program can write. Beside it are
    /// characters and the scores after each, to compare with.
    fn export(&self, tokens: &[usize], path: &Path) -> Result<(), wengert::Error> {
        let column = Indices::new(tokens, [tokens.len(), 1]);
        let (scores, state) = self.forward(&Tape::inference(), column, None);
        let integers = Integers::new(tokens.iter().map(|&token| token as i64).collect(), [tokens.len()]);
        npz::write([("tokens", integers.into()), ("scores", Array::from(scores.value()))], path.with_extension("npz"))?;
        let (h, c) = (state.h.value(), state.c.value());
        Export::new(self).indices("token", [[tokens[0]]]).input("h", h).input("c", c).save(
            |inputs| {
                let state = LstmState { h: inputs.values("h"), c: inputs.values("c") };
                let (scores, after) = self.forward(inputs.tape(), inputs.indices("token"), Some(&state));
                vec![("scores", scores), ("h_after", after.h), ("c_after", after.c)]
            },
            path,
        )
    }
}

/// What followed each context: the number of times in all, and for each character.
#[derive(Default)]
struct Followers {
    total: f64,
    counts: HashMap<usize, f64>,
}

/// Counts of n-grams of all lengths up to [`GRAMS`], by the context before the last character.
struct Grams<'a> {
    contexts: HashMap<&'a [usize], Followers>,
    characters: usize,
}

impl<'a> Grams<'a> {
    fn new(tokens: &'a [usize], characters: usize) -> Self {
        let mut contexts: HashMap<&[usize], Followers> = HashMap::new();
        for (end, &token) in tokens.iter().enumerate() {
            for start in end.saturating_sub(GRAMS - 1)..=end {
                let followers = contexts.entry(&tokens[start..end]).or_default();
                followers.total += 1.0;
                *followers.counts.entry(token).or_default() += 1.0;
            }
        }
        Grams { contexts, characters }
    }

    /// The probability of a character after a context. Each context has as much weight against the next shorter one as it has
    /// occurrences against different followers (Witten and Bell 1991).
    fn probability(&self, context: &[usize], token: usize) -> f64 {
        let shorter = match context {
            [] => 1.0 / self.characters as f64,
            [_, rest @ ..] => self.probability(rest, token),
        };
        let Some(followers) = self.contexts.get(context) else { return shorter };
        let different = followers.counts.len() as f64;
        let count = followers.counts.get(&token).copied().unwrap_or(0.0);
        (count + different * shorter) / (followers.total + different)
    }

    /// The mean loss of the n-gram model on a text in bits per character.
    fn bits(&self, n: usize, tokens: &[usize]) -> f64 {
        let loss = |end: usize| -self.probability(&tokens[end.saturating_sub(n - 1)..end], tokens[end]).log2();
        (1..tokens.len()).map(loss).sum::<f64>() / (tokens.len() - 1) as f64
    }
}

/// A file, or the sources and the guide of this crate.
fn text(path: Option<&PathBuf>) -> Result<String, Box<dyn Error>> {
    if let Some(path) = path {
        return Ok(fs::read_to_string(path).map_err(|error| format!("{path:?}: {error}"))?);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["src", "docs/guide"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let texts: Result<Vec<String>, _> = files.iter().map(fs::read_to_string).collect();
    Ok(texts?.join("\n"))
}

/// The files in a directory and those below it.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // Without the guide in Japanese.
        if path.file_stem().is_some_and(|name| name == "ja") {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The losses of a training in bits per character, by step.
#[derive(Default)]
struct Curve {
    training: Vec<(f64, f64)>,
    held_out: Vec<(f64, f64)>,
}

/// Trains a network for a number of steps and measures it now and then.
fn train(network: &mut Network, train: &[usize], test: &[usize], steps: usize, rng: &mut impl Rng) -> Curve {
    let windows = Windows::new(train, WINDOW).time_first();
    let mut optimizer = Adam::new(4e-3);
    let (mut streams, mut state, mut curve) = (windows.streams(STREAMS).drop_last(), None, Curve::default());
    let (start, mut since, mut sum, every) = (Instant::now(), 0, 0.0, (steps / 10).max(1));
    println!("{:>6}  {:>10}  {:>10}  {:>8}", "step", "training", "held out", "seconds");
    for step in 1..=steps {
        let batch = streams.next().unwrap_or_else(|| {
            // The text begins again.
            (streams, state) = (windows.streams(STREAMS).drop_last(), None);
            streams.next().expect("a window in each stream")
        });
        let tape = Tape::training(rng);
        let before = state.take().map(|state: LstmState| state.on(&tape));
        let (scores, after) = network.forward(&tape, batch.inputs, before.as_ref());
        let loss = scores.softmax_cross_entropy(&batch.targets);
        (sum, since) = (sum + f64::from(loss.item()) / LN_2, since + 1);
        let mut gradients = loss.backward();
        gradients.clip_norm(5.0);
        optimizer.step(network, &gradients);
        state = Some(after);
        if step % every == 0 {
            let (training, held_out) = (sum / f64::from(since), network.bits(test));
            println!("{step:>6}  {training:>10.3}  {held_out:>10.3}  {:>8.1}", start.elapsed().as_secs_f64());
            curve.training.push((step as f64, training));
            curve.held_out.push((step as f64, held_out));
            (sum, since) = (0.0, 0);
        }
    }
    curve
}

fn main() -> Outcome {
    let options = start(
        include_str!("18_char_rnn.rs"),
        [
            Arg::new("text")
                .long("text")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Text to learn from"),
            Arg::new("steps")
                .long("steps")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .help("Number of training steps"),
            Arg::new("onnx").long("onnx").value_name("FILE").value_parser(value_parser!(PathBuf)).help(
                "Exports the step from a character to the next, with characters and their scores as .npz beside it",
            ),
        ],
    );
    let mut text = text(options.get_one("text"))?;
    let (hidden, steps) = if quick() { (32, 40) } else { (128, 600) };
    let steps = options.get_one("steps").copied().unwrap_or(steps);
    if quick() {
        text = text.chars().take(40_000).collect();
    }
    let vocabulary = Characters::new(&text);
    let tokens = vocabulary.encode(&text)?;
    if tokens.len() < 2 * STREAMS * WINDOW {
        return Err(format!(
            "{} characters are too few: the text needs at least {}",
            tokens.len(),
            2 * STREAMS * WINDOW
        )
        .into());
    }
    let (train_tokens, test_tokens) = tokens.split_at(tokens.len() / 20 * 19);
    println!("{} characters, {} different; the last twentieth is held out\n", tokens.len(), vocabulary.len());

    let grams = Grams::new(train_tokens, vocabulary.len());
    let by_length: Vec<(usize, f64)> = (1..=GRAMS).map(|n| (n, grams.bits(n, test_tokens))).collect();
    println!("bits per character of n-grams on held-out text");
    by_length.iter().for_each(|(n, bits)| println!("{n:>6}  {bits:>10.3}"));

    let mut rng = wengert::rng(0);
    let mut network = Network::new(vocabulary.len(), hidden, &mut rng);
    println!("\nan LSTM of two layers of {hidden} units, {} parameters: bits per character", network.parameter_count());
    let curve = train(&mut network, train_tokens, test_tokens, steps, &mut rng);
    let best = by_length.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are several");
    let last = curve.held_out.last().map_or(f64::NAN, |point| point.1);
    println!("\nheld out: {last:.3} bits per character, the best n-gram (n = {}) {:.3}\n", best.0, best.1);
    if let Some(path) = options.get_one::<PathBuf>("onnx") {
        network.export(&test_tokens[..WINDOW], path)?;
    }
    println!("{}\n", vocabulary.decode(&network.write(train_tokens[0], 400, 0.7, &mut rng)));
    draw(curve, &by_length)
}

/// Draws the losses by step, with those of the n-grams as horizontal lines.
fn draw(curve: Curve, grams: &[(usize, f64)]) -> Outcome {
    let ends = [curve.held_out.first(), curve.held_out.last()].map(|point| point.map_or(0.0, |point| point.0));
    let level =
        |&(n, bits): &(usize, f64)| Line { label: format!("{n}-grams"), points: ends.map(|x| (x, bits)).to_vec() };
    let network = [("LSTM, training", curve.training), ("LSTM, held out", curve.held_out)];
    let mut all: Vec<Line> = network.map(|(label, points)| Line { label: label.into(), points }).into();
    all.extend(grams.iter().skip(1).map(level));
    figure("18_char_rnn", "A recurrent network learns to write", (800, 460), |area| {
        lines(area, "Losses of predictions of the next character", ("step", "bits per character"), None, &all)
    })
}
