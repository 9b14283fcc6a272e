//! Word vectors: words that occur in similar contexts get similar vectors.
//!
//! `cargo run --release --example 17_word2vec` trains skip-gram with negative sampling (Mikolov, Sutskever, Chen, Corrado and
//! Dean 2013, "Distributed Representations of Words and Phrases and their Compositionality") on the sources and the guide of this
//! crate, and shows
//! - the loss on held-out text, and that of a model that knows the frequencies of words alone,
//! - nearest neighbors and analogies,
//! - how well the vectors tell groups of words apart, compared with co-occurrence counts without training,
//! - the groups in the plane of largest variance.
//!
//! `-- --text FILE` reads another text, and `-- --words king,queen` selects the words whose neighbors are listed.

mod support {
    pub mod command;
    pub mod corpus;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod pca;
    pub mod scale;
    pub mod stroke;
    pub mod style;
    pub mod vectors;
    pub mod word_map;
}

use clap::{Arg, ArgMatches, value_parser};
use std::collections::HashSet;
use std::iter;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::command::start;
use support::corpus::{ANALOGIES, Corpus, Group};
use support::figure::{Outcome, figure, quick};
use support::lines::{Line, lines};
use support::pca::Pca;
use support::vectors::{Vectors, chance};
use support::word_map::{PointGroup, word_map};
use wengert::metrics::Mean;
use wengert::optim::schedule::LinearRamp;
use wengert::parallel;
use wengert::prelude::*;
use wengert::rand::RngExt;
use wengert::rand::distr::weighted::{self, WeightedIndex};
use wengert::rand::seq::SliceRandom;

/// Length of the vectors.
const SIZE: usize = 64;
/// Maximum distance of a context from its word.
const REACH: usize = 5;
/// Negative samples for each pair.
const NEGATIVES: usize = 5;
/// Words above this frequency are subsampled: kept with probability √(threshold / frequency).
const THRESHOLD: f64 = 1e-3;
/// Pairs per shard. A batch has [`SHARDS`] shards, whose gradients are computed in parallel.
const SHARD: usize = 256;
const SHARDS: usize = 2;
/// Passages whose pairs are in memory at a time.
const BLOCK: usize = 100;
/// Initial learning rate; it falls linearly to 0.
const LEARNING_RATE: f64 = 0.003;
/// Number of listed neighbors.
const NEIGHBORS: usize = 6;

/// Words `[n]` and for each its context, followed by negative samples: `[n, 1 + NEGATIVES]`.
struct Batch {
    words: Vec<usize>,
    contexts: Indices,
}

impl Batch {
    /// 1 for the contexts, 0 for the negative samples.
    fn targets(&self) -> Tensor {
        let row = iter::once(1.0).chain(iter::repeat_n(0.0, NEGATIVES)).collect();
        Tensor::from_vec(row, [1, 1 + NEGATIVES]).broadcast_to(self.contexts.shape())
    }

    /// The loss of scores `[n, 1 + NEGATIVES]`, summed over the pairs: `−ln σ(s₀) − Σₖ ln σ(−sₖ)`.
    fn loss(&self, scores: &Var) -> Var {
        scores.bce_with_logits_loss(self.targets(), Reduction::Sum)
    }
}

/// Draws pairs of words and contexts, and negative samples.
struct Sampler {
    /// The probability to keep each word.
    keep: Vec<f64>,
    /// The frequencies of words to the power of 3/4.
    negatives: WeightedIndex<f64>,
}

impl Sampler {
    fn new(corpus: &Corpus) -> Result<Self, weighted::Error> {
        // Rare words, which are counted under the unknown token, are not part of the text.
        let counts: Vec<f64> =
            iter::once(0.0).chain(corpus.vocabulary.counts()[1..].iter().map(|&n| n as f64)).collect();
        let total = counts.iter().sum::<f64>();
        let keep = counts.iter().map(|count| (THRESHOLD * total / count).sqrt().min(1.0)).collect();
        Ok(Sampler { keep, negatives: WeightedIndex::new(counts.iter().map(|count| count.powf(0.75)))? })
    }

    /// The pairs of subsampled passages in random order. The width of each window is random, so near contexts occur more often.
    fn pairs(&self, passages: &[Vec<usize>], rng: &mut impl Rng) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for passage in passages {
            let kept: Vec<usize> = passage.iter().copied().filter(|&word| rng.random_bool(self.keep[word])).collect();
            for (at, &word) in kept.iter().enumerate() {
                let reach = rng.random_range(1..=REACH);
                let window = at.saturating_sub(reach)..(at + reach + 1).min(kept.len());
                pairs.extend(window.filter(|&other| other != at).map(|other| (word, kept[other])));
            }
        }
        pairs.shuffle(rng);
        pairs
    }

    fn batch(&self, pairs: &[(usize, usize)], rng: &mut impl Rng) -> Batch {
        let mut contexts = Vec::with_capacity(pairs.len() * (1 + NEGATIVES));
        for &(_, context) in pairs {
            contexts.push(context);
            contexts.extend(rng.sample_iter(&self.negatives).take(NEGATIVES));
        }
        let words = pairs.iter().map(|&(word, _)| word).collect();
        Batch { words, contexts: Indices::new(contexts, [pairs.len(), 1 + NEGATIVES]) }
    }
}

/// The score of a word and a context is the dot product of their vectors.
struct SkipGram {
    words: Embedding,
    contexts: Embedding,
}
module!(SkipGram { words, contexts });

impl SkipGram {
    fn new(words: usize, rng: &mut impl Rng) -> Self {
        let init = Init::Uniform(0.5 / SIZE as f64);
        SkipGram {
            words: Embedding::new(words, SIZE, init, rng),
            contexts: Embedding::new(words, SIZE, Init::Constant(0.0), rng),
        }
    }

    /// The scores `[n, 1 + NEGATIVES]`.
    fn forward(&self, tape: &Tape, batch: &Batch) -> Var {
        let words = self.words.forward(tape, &batch.words[..]).reshape([batch.words.len(), 1, SIZE]);
        (self.contexts.forward(tape, &batch.contexts) * words).sum_over(2)
    }
}

/// The mean loss per pair of scores that a function gives to batches.
fn evaluate(batches: &[Batch], scores: impl Fn(&Tape, &Batch) -> Var) -> f64 {
    let mut mean = Mean::new();
    for batch in batches {
        let loss = batch.loss(&scores(&Tape::inference(), batch)).item();
        mean.add_weighted(f64::from(loss) / batch.words.len() as f64, batch.words.len() as f64);
    }
    mean.value()
}

/// Training and test loss after each epoch.
struct Run {
    model: SkipGram,
    losses: Vec<[f64; 2]>,
    time: Duration,
}

fn train(corpus: &mut Corpus, sampler: &Sampler, test: &[Batch], epochs: usize, rng: &mut impl Rng) -> Run {
    let mut model = SkipGram::new(corpus.vocabulary.len(), rng);
    // The gradient of each table is a list of the rows that the batch has read, and a step updates these alone.
    let mut optimizer = Adam::new(LEARNING_RATE);
    let blocks = corpus.train.len().div_ceil(BLOCK);
    let schedule = LinearRamp::new(LEARNING_RATE, epochs * blocks).start_factor(1.0).end_factor(0.0);
    let (mut losses, mut time) = (Vec::new(), Duration::ZERO);
    for epoch in 0..epochs {
        let start = Instant::now();
        let mut mean = Mean::new();
        corpus.train.shuffle(rng);
        for (k, block) in corpus.train.chunks(BLOCK).enumerate() {
            optimizer.set_learning_rate(schedule.at(epoch * blocks + k));
            for pairs in sampler.pairs(block, rng).chunks(SHARDS * SHARD) {
                let shards: Vec<Batch> = pairs.chunks(SHARD).map(|shard| sampler.batch(shard, rng)).collect();
                let size = pairs.len() as f64;
                let loss = |tape: &Tape, shard: &Batch| shard.loss(&model.forward(tape, shard)) / size;
                let (loss, gradients) = parallel::gradients(rng, &shards, loss).expect("chunks are not empty");
                mean.add_weighted(loss, size);
                optimizer.step(&mut model, &gradients);
            }
        }
        time += start.elapsed();
        losses.push([mean.value(), evaluate(test, |tape, batch| model.forward(tape, batch))]);
        println!("epoch {:>2}/{epochs}  training {:.4}  test {:.4}", epoch + 1, losses[epoch][0], losses[epoch][1]);
    }
    Run { model, losses, time }
}

/// The test loss of scores that depend on the context alone: the log odds that a word is a context and not a negative sample.
fn unigram_loss(sampler: &Sampler, corpus: &Corpus, test: &[Batch], rng: &mut impl Rng) -> f64 {
    let mut counts = vec![0.0; corpus.vocabulary.len()];
    for block in corpus.train.chunks(BLOCK) {
        sampler.pairs(block, rng).iter().for_each(|&(_, context)| counts[context] += 1.0);
    }
    let draws = NEGATIVES as f64 * counts.iter().sum::<f64>() / sampler.negatives.total_weight();
    // A word may have no pair left after subsampling, but its odds are not 0.
    let odds = |(count, weight): (&f64, f64)| (count.max(0.5) / (draws * weight)).ln() as f32;
    let scores: Vec<f32> = counts.iter().zip(sampler.negatives.weights()).map(odds).collect();
    evaluate(test, |tape, batch| {
        let of_batch = batch.contexts.as_slice().iter().map(|&context| scores[context]).collect();
        tape.constant(Tensor::from_vec(of_batch, batch.contexts.shape()))
    })
}

fn run(options: &ArgMatches) -> Outcome {
    let mut rng = wengert::rng(0);
    let path = options.get_one::<PathBuf>("text");
    let mut corpus = Corpus::read(path, options.get_one::<String>("words").map(String::as_str))?;
    let epochs = if quick() { 1 } else { 10 };
    let [train_words, test_words] = [&corpus.train, &corpus.test].map(|part| part.iter().map(Vec::len).sum::<usize>());
    println!(
        "{train_words} words for training, {test_words} for testing, {} different ones",
        corpus.vocabulary.len() - 1
    );
    let sampler = Sampler::new(&corpus)?;
    let test: Vec<Batch> =
        sampler.pairs(&corpus.test, &mut rng).chunks(SHARD).map(|pairs| sampler.batch(pairs, &mut rng)).collect();
    let unigram = unigram_loss(&sampler, &corpus, &test, &mut rng);
    println!(
        "\nloss per pair; with scores of 0 {:.4}, by word frequencies alone {unigram:.4}",
        (1 + NEGATIVES) as f64 * 2f64.ln()
    );
    let run = train(&mut corpus, &sampler, &test, epochs, &mut rng);
    println!("{:.0} words per second\n", (epochs * train_words) as f64 / run.time.as_secs_f64());

    let vectors = Vectors::new(run.model.words.weight.value());
    let counted = Vectors::ppmi(&corpus, REACH);
    let methods = [("skip-gram", &vectors), ("PPMI", &counted)];
    print_neighbors(&corpus, methods);
    print_analogies(&corpus, methods);
    if !corpus.groups.is_empty() {
        println!(
            "\nfraction of a word's group among its nearest words, out of those of {} groups:",
            corpus.groups.len()
        );
        let [trained, counted] = methods.map(|(_, vectors)| vectors.separation(&corpus.groups));
        println!("skip-gram {trained:.3}, PPMI {counted:.3}, by chance {:.3}", chance(&corpus.groups));
    }
    println!();
    draw(&corpus, &vectors, &run.losses, unigram)
}

fn print_neighbors(corpus: &Corpus, methods: [(&str, &Vectors); 2]) {
    println!("nearest words by cosine");
    for &query in &corpus.queries {
        println!("{}", corpus.word(query));
        for (name, vectors) in methods {
            let nearest = vectors.nearest(query, 1..corpus.vocabulary.len());
            let words: Vec<&str> = nearest.iter().take(NEIGHBORS).map(|&word| corpus.word(word)).collect();
            println!("  {name:<9}  {}", words.join(" "));
        }
    }
}

/// Prints how many words are as near as the expected one to `b − a + c`, and to c alone, which shows whether the difference helps.
fn print_analogies(corpus: &Corpus, methods: [(&str, &Vectors); 2]) {
    let known: Vec<_> = ANALOGIES.iter().filter_map(|words| Some((words, corpus.tokens(words)?))).collect();
    if known.is_empty() {
        return;
    }
    println!(
        "\nanalogies: rank of the last word, among {}, by the vector, and in brackets by the third word alone",
        corpus.vocabulary.len() - 4
    );
    println!("{:<40}  {:>15}  {:>15}", "", methods[0].0, methods[1].0);
    for ([a, b, c, d], tokens) in known {
        let tokens = tokens.try_into().expect("four words");
        let ranks = methods.map(|(_, vectors)| {
            let [rank, alone] = vectors.analogy_ranks(tokens);
            format!("{rank} ({alone})")
        });
        println!("{:<40}  {:>15}  {:>15}", format!("{a} : {b} :: {c} : {d}"), ranks[0], ranks[1]);
    }
}

/// The queries with their neighbors, each word in one group only.
fn neighborhoods(corpus: &Corpus, vectors: &Vectors) -> Vec<Group> {
    let mut seen = HashSet::new();
    let group = |&query: &usize| {
        let nearest = vectors.nearest(query, 1..corpus.vocabulary.len());
        let words = iter::once(query).chain(nearest.into_iter().take(NEIGHBORS));
        Group { name: corpus.word(query).into(), words: words.filter(|&word| seen.insert(word)).collect() }
    };
    corpus.queries.iter().map(group).collect()
}

/// Draws the losses, and the groups of words, or without any the queries and their neighbors, in the plane of largest variance.
fn draw(corpus: &Corpus, vectors: &Vectors, losses: &[[f64; 2]], unigram: f64) -> Outcome {
    let neighborhoods = neighborhoods(corpus, vectors);
    let groups = if corpus.groups.is_empty() { &neighborhoods } else { &corpus.groups };
    let words: Vec<usize> = groups.iter().flat_map(|group| group.words.iter().copied()).collect();
    let points = vectors.rows.rows(&words);
    let pca = Pca::new(|| iter::once(points.clone()));
    let codes = pca.encode(&points);
    let variance = |offsets: &Tensor| f64::from(offsets.map(|x| x * x).sum().item());
    let explained = variance(&codes) / variance(&(points - &pca.mean));
    let mut at = codes.as_slice().as_chunks().0.iter().map(|&[x, y]| (x.into(), y.into()));
    let mut groups_at = Vec::new();
    for group in groups {
        let labels = group.words.iter().map(|&word| corpus.word(word).to_string());
        groups_at.push(PointGroup { name: group.name.clone(), points: labels.zip(at.by_ref()).collect() });
    }
    let line = |label: &str, part: usize| Line {
        label: label.into(),
        points: (1..).map(f64::from).zip(losses.iter().map(|losses| losses[part])).collect(),
    };
    let ends = [1.0, losses.len() as f64].map(|epoch| (epoch, unigram));
    let frequencies = Line { label: "word frequencies alone".into(), points: ends.to_vec() };
    figure("17_word2vec", "Word vectors by skip-gram with negative sampling", (1240, 640), |area| {
        let (left, right) = area.split_horizontally(400);
        lines(&left, "loss per pair", ("epoch", "loss"), None, &[line("training", 0), line("test", 1), frequencies])?;
        let caption = format!("the plane of largest variance, {:.0} % of the whole", 100.0 * explained);
        word_map(&right, &caption, &groups_at)
    })
}

fn main() -> ExitCode {
    let options = [
        Arg::new("text")
            .long("text")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Reads a text instead of the sources of this crate"),
        Arg::new("words").long("words").value_name("WORDS").help("Words to list the neighbors of, separated by commas"),
    ];
    match run(&start(include_str!("17_word2vec.rs"), options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
