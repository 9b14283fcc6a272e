//! Sequence to sequence: a network reads dates as people write them, and writes them as ISO 8601 does.
//!
//! `cargo run --release --example 19_seq2seq` trains
//! - an encoder, which reads the characters of a date in both directions, and a decoder, which writes those of the other form
//!   one by one (Sutskever, Vinyals and Le 2014, "Sequence to Sequence Learning with Neural Networks"),
//! - the same with attention (Bahdanau, Cho and Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and
//!   Translate", in the form of Luong, Pham and Manning 2015): each step of the decoder looks at the outputs of the encoder,
//!
//! and compares them on dates that neither has seen. Then the one with attention reads some more, and a figure shows
//! where it looks while it writes. `-- --date "2 June 1999"` has it read others.

mod support {
    pub mod command;
    pub mod dates;
    pub mod figure;
    pub mod heat_map;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches};
use std::iter;
use std::process::ExitCode;
use std::time::Instant;
use support::command::start;
use support::dates::dates;
use support::figure::{Outcome, figure, quick};
use support::heat_map::{heat_map, heat_map_size};
use support::lines::{Line, lines};
use support::style::FONT;
use wengert::metrics::Mean;
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::seq::SliceRandom;
use wengert::text::{Beam, BeamSearch, Characters, Tokenizer};

/// Number of dates that are held out.
const HELD_OUT: usize = 1000;
/// Dates per shard. A batch has [`SHARDS`] shards, whose gradients are computed in parallel.
const SHARD: usize = 32;
const SHARDS: usize = 2;
/// Size of the vectors of characters, and of the state of the encoder in each direction.
const EMBEDDING: usize = 32;
const HIDDEN: usize = 48;
/// The token before the first character and after the last, which is a line break.
const END: usize = 0;
/// Number of dates that are printed as examples, and as errors.
const SHOWN: usize = 5;
/// Number of characters after which the decoder is stopped.
const MAX_LENGTH: usize = 16;
const LEARNING_RATE: f64 = 4e-3;

/// Dates that are read after training.
const EXAMPLES: [&str; 8] = [
    "Thursday, November 26 2026",
    "the 26th of november, 2026",
    "26.11.26",
    "11/26/2026",
    "the 1st of april 2001",
    "26-11-2026",
    "Novmeber 26th 2026",
    "26 2026 November",
];

/// Texts as tokens `[N, S]`, padded to the longest.
struct Source {
    tokens: Indices,
    lengths: Vec<usize>,
}

impl Source {
    fn new(texts: &[&[usize]]) -> Self {
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let padded = texts.iter().flat_map(|text| text.iter().copied().chain(iter::repeat(0)).take(longest));
        Source { tokens: Indices::new(Vec::from_iter(padded), [texts.len(), longest]), lengths }
    }

    /// 1 for the padding, 0 for the characters.
    fn padding(&self) -> Tensor {
        let longest = self.tokens.shape()[1];
        let row = |&length: &usize| (0..longest).map(move |at| if at < length { 0.0 } else { 1.0 });
        Tensor::from_vec(self.lengths.iter().flat_map(row).collect(), self.tokens.shape())
    }
}

/// Pairs of texts: what is read, what the decoder has written before each step `[N, T]`, and what it should write.
struct Batch {
    source: Source,
    before: Indices,
    targets: Vec<usize>,
}

/// What the decoder knows of a source.
#[derive(Clone)]
struct Memory {
    /// The outputs of the encoder `[N, S, 2 HIDDEN]`, which are keys and values.
    outputs: Var,
    attention: Attention,
    /// The initial state of the decoder `[1, N, 2 HIDDEN]`.
    state: Var,
}

struct Translator {
    source: Embedding,
    encoder: Gru,
    target: Embedding,
    decoder: Gru,
    combine: Linear,
    output: Linear,
    attends: bool,
}
module!(Translator { source, encoder, target, decoder, combine, output; attends });

impl Translator {
    fn new([source, target]: [usize; 2], attends: bool, rng: &mut impl Rng) -> Self {
        let (options, state) = (Recurrent::new().batch_first(), 2 * HIDDEN);
        let combined = if attends { 2 * state } else { state };
        Translator {
            source: Embedding::new(source, EMBEDDING, Init::Normal(1.0), rng),
            encoder: Gru::with_options(EMBEDDING, HIDDEN, options.bidirectional(), rng),
            target: Embedding::new(target, EMBEDDING, Init::Normal(1.0), rng),
            decoder: Gru::with_options(EMBEDDING, state, options, rng),
            combine: Linear::new(combined, state, Init::Xavier, rng),
            output: Linear::new(state, target, Init::Xavier, rng),
            attends,
        }
    }

    /// What the encoder reads; its last states are the first of the decoder.
    fn encode(&self, tape: &Tape, source: &Source) -> Memory {
        let x = self.source.forward(tape, &source.tokens);
        let (outputs, last) = self.encoder.forward_padded(&x, &source.lengths, None);
        // The last states of both directions, side by side.
        let state = last.transpose(0, 1).flatten(1, 2).unsqueeze(0);
        Memory { outputs, attention: Attention::new().heads(1).key_padding_mask(&source.padding()), state }
    }

    /// The outputs of the decoder `[N, T, 2 HIDDEN]` that has written the characters `[N, T]` so far, and its last state.
    fn decode(&self, tape: &Tape, before: impl Into<Indices>, state: &Var) -> (Var, Var) {
        self.decoder.forward_state(&self.target.forward(tape, before), Some(state))
    }

    /// The scores of characters `[N, T, K]` by outputs of the decoder.
    fn scores(&self, h: &Var, memory: &Memory) -> Var {
        let Memory { outputs, attention, .. } = memory;
        let combined = if self.attends {
            let context = h.scaled_dot_product_attention(outputs, outputs, attention);
            self.combine.forward(&Var::concat(&[&context, h], -1))
        } else {
            self.combine.forward(h)
        };
        self.output.forward(&combined.tanh())
    }

    /// The mean loss of a character, where the decoder is given the right ones before it.
    fn loss(&self, tape: &Tape, batch: &Batch) -> Var {
        let memory = self.encode(tape, &batch.source);
        let (h, _) = self.decode(tape, &batch.before, &memory.state);
        self.scores(&h, &memory).flatten(0, 1).softmax_cross_entropy(&batch.targets)
    }

    /// The most probable characters one after the other, each an input of the next step.
    fn translate(&self, source: &Source) -> Vec<Vec<usize>> {
        let (tape, count) = (Tape::inference(), source.lengths.len());
        let memory = self.encode(&tape, source);
        let (mut state, mut before, mut written) = (memory.state.clone(), vec![END; count], vec![Vec::new(); count]);
        for _ in 0..MAX_LENGTH {
            let (h, after) = self.decode(&tape, Indices::new(before, [count, 1]), &state);
            (state, before) = (after, self.scores(&h, &memory).value().argmax(-1));
            written.iter_mut().zip(&before).for_each(|(text, &token)| text.push(token));
        }
        written.into_iter().map(|text| text.into_iter().take_while(|&token| token != END).collect()).collect()
    }

    /// The most probable translations of a text.
    fn candidates(&self, text: &[usize]) -> Vec<Beam> {
        let tape = Tape::inference();
        let memory = self.encode(&tape, &Source::new(&[text]));
        let mut state = memory.state.clone();
        BeamSearch::new(4, MAX_LENGTH).end(END).run(|beams| {
            let parents: Vec<usize> = beams.iter().map(|beam| beam.parent).collect();
            let before: Vec<usize> = beams.iter().map(|beam| beam.tokens.last().copied().unwrap_or(END)).collect();
            let (h, after) =
                self.decode(&tape, Indices::new(before, [beams.len(), 1]), &state.index_select(1, &parents));
            state = after;
            let memory = Memory { outputs: memory.outputs.repeat([beams.len(), 1, 1]), ..memory.clone() };
            self.scores(&h, &memory).select(1, 0).log_softmax(-1).value().clone()
        })
    }

    /// The weights of the characters of a text for each character of its translation: `[T, S]`.
    fn weights(&self, text: &[usize], translation: &[usize]) -> Tensor {
        let tape = Tape::inference();
        let memory = self.encode(&tape, &Source::new(&[text]));
        let before = [&[END], &translation[..translation.len() - 1]].concat();
        let (h, _) = self.decode(&tape, Indices::new(before, [1, translation.len()]), &memory.state);
        h.attention_weights(&memory.outputs, &memory.attention).value().reshape([translation.len(), text.len()])
    }
}

/// A date as people write it, and by ISO 8601, as tokens.
struct Pair {
    source: Vec<usize>,
    target: Vec<usize>,
}

/// Pairs for training, others that are held out, and the characters of both.
struct Data {
    source: Characters,
    target: Characters,
    training: Vec<Pair>,
    held_out: Vec<Pair>,
}

impl Data {
    /// Every date occurs once, in one form.
    fn new(count: usize, rng: &mut impl Rng) -> Result<Self, wengert::Error> {
        let mut all = dates();
        all.shuffle(rng);
        let texts: Vec<[String; 2]> =
            all[..HELD_OUT + count].iter().map(|date| [date.written(rng), date.iso()]).collect();
        // A line break is the first of the characters by which the texts are joined, and so END.
        let [source, target] =
            [0, 1].map(|k| Characters::new(&texts.iter().map(|pair| &pair[k][..]).collect::<Vec<_>>().join("\n")));
        let pair = |[from, to]: &[String; 2]| Ok(Pair { source: source.encode(from)?, target: target.encode(to)? });
        let mut training = texts.iter().map(pair).collect::<Result<Vec<_>, wengert::Error>>()?;
        let held_out = training.drain(..HELD_OUT).collect();
        Ok(Data { source, target, training, held_out })
    }
}

fn batch(pairs: &[&Pair]) -> Batch {
    let sources: Vec<&[usize]> = pairs.iter().map(|pair| &pair.source[..]).collect();
    let before: Vec<usize> = pairs.iter().flat_map(|pair| [&[END], &pair.target[..]].concat()).collect();
    let targets: Vec<usize> = pairs.iter().flat_map(|pair| [&pair.target[..], &[END]].concat()).collect();
    Batch { source: Source::new(&sources), before: Indices::new(before, [pairs.len() as isize, -1]), targets }
}

/// The loss on pairs, and those whose translation has an error, with that translation.
fn evaluate<'a>(model: &Translator, pairs: &'a [Pair]) -> (f64, Vec<(&'a Pair, Vec<usize>)>) {
    let batch = batch(&Vec::from_iter(pairs));
    let loss = model.loss(&Tape::inference(), &batch).item();
    let written = model.translate(&batch.source);
    (loss.into(), pairs.iter().zip(written).filter(|(pair, written)| *written != pair.target).collect())
}

/// Trains a model and reports how well it translates; returns the fraction of held-out dates without an error, by epoch.
fn train(model: &mut Translator, data: &Data, epochs: usize, rng: &mut impl Rng) -> Line {
    let label = if model.attends { "with attention" } else { "without attention" };
    println!(
        "\n{label}, {} parameters: losses, and the fraction of held-out dates without an error",
        model.parameter_count()
    );
    println!("{:>6}  {:>9}  {:>9}  {:>9}  {:>8}", "epoch", "training", "held out", "no error", "seconds");
    let mut optimizer = Adam::new(LEARNING_RATE);
    let (start, mut order) = (Instant::now(), Vec::from_iter(&data.training));
    let (mut points, mut errors) = (Vec::new(), Vec::new());
    for epoch in 1..=epochs {
        let mut mean = Mean::new();
        order.shuffle(rng);
        for pairs in order.chunks_exact(SHARDS * SHARD) {
            let shards: Vec<Batch> = pairs.chunks(SHARD).map(batch).collect();
            let loss = |tape: &Tape, shard: &Batch| model.loss(tape, shard) / SHARDS as f64;
            let (loss, mut gradients) = parallel::gradients(rng, &shards, loss).expect("there are shards");
            mean.add(loss);
            gradients.clip_norm(1.0);
            optimizer.step(model, &gradients);
        }
        let loss;
        (loss, errors) = evaluate(model, &data.held_out);
        let exact = 1.0 - errors.len() as f64 / data.held_out.len() as f64;
        let (training, seconds) = (mean.value(), start.elapsed().as_secs_f64());
        println!("{epoch:>6}  {training:>9.4}  {loss:>9.4}  {exact:>9.3}  {seconds:>8.1}");
        points.push((epoch as f64, exact));
    }
    for (pair, written) in errors.iter().take(SHOWN) {
        let [written, right] = [written, &pair.target].map(|text| data.target.decode(text));
        println!("error: {:<36}  {written}, not {right}", data.source.decode(&pair.source));
    }
    Line { label: label.into(), points }
}

/// Prints the two most probable translations of texts; returns the best with the weights of the characters.
fn read(model: &Translator, data: &Data, texts: &[Vec<usize>]) -> Vec<Reading> {
    println!("\nthe two most probable translations");
    let written = |beam: &Beam| data.target.decode(&beam.tokens).trim_end().to_string();
    let show = |beam: &Beam| format!("{:<MAX_LENGTH$}  {:>6.2} %", written(beam), 100.0 * beam.log_probability.exp());
    let mut readings = Vec::new();
    for tokens in texts {
        let (text, beams) = (data.source.decode(tokens), model.candidates(tokens));
        println!("{text:<36}  {}", beams.iter().take(2).map(show).collect::<Vec<_>>().join("   "));
        let best: Vec<usize> = beams[0].tokens.iter().copied().filter(|&token| token != END).collect();
        if !best.is_empty() {
            readings.push(Reading { text, written: written(&beams[0]), weights: model.weights(tokens, &best) });
        }
    }
    readings
}

/// A translation and the weights of the characters of the text `[T, S]`.
struct Reading {
    text: String,
    written: String,
    weights: Tensor,
}

fn run(options: &ArgMatches) -> Outcome {
    let mut rng = wengert::rng(0);
    let (count, epochs) = if quick() { (1024, 2) } else { (5120, 8) };
    let data = Data::new(count, &mut rng)?;
    println!("{count} dates for training, {HELD_OUT} held out, such as");
    for pair in data.held_out.iter().take(SHOWN) {
        println!("{:<36}  {}", data.source.decode(&pair.source), data.target.decode(&pair.target));
    }
    let texts: Vec<&str> = match options.get_many::<String>("date") {
        Some(texts) => texts.map(String::as_str).collect(),
        None => EXAMPLES.to_vec(),
    };
    let texts = texts.iter().map(|text| data.source.encode(text)).collect::<Result<Vec<_>, _>>()?;
    let sizes = [data.source.len(), data.target.len()];
    let [mut plain, mut attentive] = [false, true].map(|attends| Translator::new(sizes, attends, &mut rng));
    let curves = [&mut plain, &mut attentive].map(|model| train(model, &data, epochs, &mut rng));
    let readings = read(&attentive, &data, &texts);
    println!();
    draw(&curves, &readings[..readings.len().min(2)])
}

/// Draws the accuracy by epoch, and where the model looks.
fn draw(curves: &[Line], readings: &[Reading]) -> Outcome {
    const LEFT: i32 = 400;
    const ABOVE: u32 = 60;
    let sizes = readings.iter().map(|reading| heat_map_size([&reading.written, &reading.text]));
    let (width, height) = sizes.fold((340, 0), |all, (width, height)| (all.0.max(width), all.1 + height));
    figure("19_seq2seq", "A network reads dates", (LEFT as u32 + width, ABOVE + height), |area| {
        let (left, right) = area.split_horizontally(LEFT);
        lines(&left, "held-out dates without an error", ("epoch", "fraction"), Some(0.0..1.02), curves)?;
        let mut right = right.titled("weights of the characters read, for each character written", (FONT, 18))?;
        for Reading { text, written, weights } in readings {
            let (above, below) = right.split_vertically(heat_map_size([written, text]).1 as i32);
            heat_map(&above, &format!("“{text}” is {written}"), [written, text], weights.as_slice())?;
            right = below;
        }
        Ok(())
    })
}

fn main() -> ExitCode {
    let date = Arg::new("date").long("date").value_name("TEXT").value_parser(NonEmptyStringValueParser::new());
    let date = date.action(ArgAction::Append).help("A date to read after training; may be repeated");
    match run(&start(include_str!("19_seq2seq.rs"), [date])) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
