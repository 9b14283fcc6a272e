//! Spaced repetition: how fast a learner forgets, from a log of reviews.
//!
//! `cargo run --release --example 26_spaced_repetition` simulates a learner whose memory follows FSRS-6, the model that Anki
//! schedules flashcards with, and fits the model's 21 parameters to the log. The state of a card after each review is a function of
//! the state before it, so the gradient of the loss goes back through all of its reviews, as through a recurrent network. It shows
//! - the log-loss on other cards: of the default parameters, of the fitted ones, and of the learner's own, the lowest possible,
//! - each parameter with its standard error, from the inverse of the Hessian: the log says little about some of them.
//!
//! `--log DIR` writes the reviews as `train.csv` and `test.csv` into a directory: card, days since the review before, grade.

mod support {
    pub mod command;
    pub mod figure;
    pub mod fsrs;
    pub mod log;
    pub mod number;
    pub mod path;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use clap::{Arg, value_parser};
use plotters::prelude::*;
use std::path::{Path, PathBuf};
use std::{fs, io};
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::fsrs::{AGAIN, DEFAULTS, Fsrs, Memory, Review};
use support::log::Log;
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::optim::schedule::Cosine;
use wengert::prelude::*;
use wengert::rand::RngExt;

const REVIEWS: usize = 10;
/// Fraction of the reviews that are on the same day as those before.
const SAME_DAY: f64 = 0.15;
/// Standard deviation of the logarithms of the learner's parameters around those of the defaults.
const SPREAD: f64 = 0.3;
const LEARNING_RATE: f64 = 0.03;

/// A grade, drawn with the given probabilities of 1 to 4.
fn grade(probabilities: [f64; 4], rng: &mut impl Rng) -> f64 {
    let draw: f64 = rng.random();
    let sums = probabilities.iter().scan(0.0, |sum, probability| {
        *sum += probability;
        Some(*sum)
    });
    1.0 + sums.take(3).filter(|sum| draw > *sum).count() as f64
}

/// Reviews of cards by a learner: each is due when the probability of recall has fallen to a random number, or on the same day.
fn simulate(logarithms: &Tensor<f64>, cards: usize, rng: &mut impl Rng) -> Vec<Review> {
    let tape = Tape::<f64>::with_mode(Mode::Inference);
    let learner = Fsrs::new(&tape.constant(logarithms));
    let grades = |chances: &[f64], rng: &mut _| {
        // Of those that are recalled, some are hard and some are easy.
        let grades = chances.iter().map(|p| grade([1.0 - p, 0.2 * p, 0.65 * p, 0.15 * p], rng)).collect();
        Tensor::from_vec(grades, [cards])
    };
    let mut log = vec![Review { days: Tensor::zeros([cards]), grades: grades(&vec![0.7; cards], rng) }];
    let mut memory = learner.first(&log[0].grades);
    for _ in 1..REVIEWS {
        let due = learner.interval(&memory.stability, &Tensor::uniform([cards], 0.6, 0.98, rng));
        let later = Tensor::<f64>::uniform([cards], 0.0, 1.0, rng).mask(|draw| draw > SAME_DAY);
        let days = due.map(|days| days.clamp(1.0, 3650.0).round()) * later;
        let chances = learner.recall(&memory.stability, &days).value().map(|chance| chance.min(0.97));
        let review = Review { grades: grades(chances.as_slice(), rng), days };
        memory = learner.next(&memory, &review);
        log.push(review);
    }
    log
}

/// Writes reviews as CSV, card by card.
fn save(path: &Path, log: &[Review]) -> io::Result<()> {
    let rows = (0..log[0].days.len()).flat_map(|card| log.iter().map(move |review| (card, review)));
    let line = |(card, review): (usize, &Review)| format!("{card},{},{}\n", review.days[[card]], review.grades[[card]]);
    fs::write(path, format!("card,days,grade\n{}", rows.map(line).collect::<String>()))
}

/// Probabilities of recall at each review after the first, with what happened: 1 for recalled, and a weight, 0 on the same day,
/// when nothing has been forgotten yet.
fn predictions(logarithms: &Var<f64>, log: &[Review]) -> Vec<(Var<f64>, Tensor<f64>, Tensor<f64>)> {
    let model = Fsrs::new(logarithms);
    let mut memory: Memory = model.first(&log[0].grades);
    let predict = |review: &Review| {
        let chance = model.recall(&memory.stability, &review.days);
        memory = model.next(&memory, review);
        (chance, review.grades.mask(|grade| grade > AGAIN), review.days.mask(|days| days > 0.0))
    };
    log[1..].iter().map(predict).collect()
}

/// The mean negative logarithm of the probabilities of what happened.
fn loss(logarithms: &Var<f64>, log: &[Review]) -> Var<f64> {
    let counted: f64 = log[1..].iter().map(|review| review.days.mask(|days| days > 0.0).sum().item()).sum();
    let one = |(chance, recalled, weight): (Var<f64>, Tensor<f64>, Tensor<f64>)| {
        // Where the weight is 0 the probability of forgetting is 0 too.
        let chance = chance.clamp(1e-9, 1.0 - 1e-9);
        let likelihood = chance.where_(&recalled, 1.0 - &chance);
        -(likelihood.ln() * weight).sum()
    };
    let sum = predictions(logarithms, log).into_iter().map(one).reduce(|sum, loss| sum + loss);
    sum.expect("there are reviews") / counted
}

/// Fits the logarithms of the parameters, from the defaults on.
fn fit(log: &[Review], steps: usize) -> Tensor<f64> {
    let mut logarithms = Param::<f64>::new(defaults());
    let (mut optimizer, schedule) = (Adam::new(LEARNING_RATE), Cosine::new(LEARNING_RATE, steps));
    for step in 0..steps {
        let loss = loss(&Tape::new_f64().param(&logarithms), log);
        optimizer.set_learning_rate(schedule.at(step));
        if step % (steps / 5) == 0 {
            println!("step {step:>4}  log-loss {:.5}", loss.item());
        }
        optimizer.step(&mut logarithms, &loss.backward());
    }
    logarithms.value().clone()
}

fn defaults() -> Tensor<f64> {
    Tensor::from(DEFAULTS).map(f64::ln)
}

/// Standard errors of fitted logarithms: the roots of the diagonal of `H⁻¹ / n`, where H is the Hessian of the mean loss over n
/// reviews. Infinite where the curvature is not positive: the log says nothing.
fn standard_errors(logarithms: &Tensor<f64>, log: &[Review]) -> Vec<f64> {
    let hessian = functional::hessian(|logarithms| loss(logarithms, log), logarithms);
    let reviews = ((log.len() - 1) * log[0].days.len()) as f64 * (1.0 - SAME_DAY);
    let covariance = Tape::<f64>::with_mode(Mode::Inference).constant(hessian).inverse().value() / reviews;
    let variance = |k: usize| covariance[[k, k]];
    (0..21).map(|k| if variance(k) > 0.0 { variance(k).sqrt() } else { f64::INFINITY }).collect()
}

fn main() -> Outcome {
    let log = Arg::new("log").long("log").value_name("DIR").value_parser(value_parser!(PathBuf));
    let options = start(include_str!("26_spaced_repetition.rs"), [log.help("Writes the reviews into a directory")]);
    let (cards, steps) = if quick() { (150, 40) } else { (3000, 400) };
    let mut rng = wengert::rng(0);
    let truth = defaults() + Tensor::<f64>::randn([21], &mut rng) * SPREAD;
    let [train, test] = [(); 2].map(|()| simulate(&truth, cards, &mut rng));
    if let Some(directory) = options.get_one::<PathBuf>("log") {
        fs::create_dir_all(directory)?;
        save(&directory.join("train.csv"), &train)?;
        save(&directory.join("test.csv"), &test)?;
    }
    println!("{cards} cards, {REVIEWS} reviews of each; as many cards for testing\n");
    let fitted = fit(&train, steps);

    println!("\nlog-loss on the other cards");
    let on_test = |logarithms: &Tensor<f64>| loss(&Tape::new_f64().constant(logarithms), &test).item();
    let losses = [("defaults", defaults()), ("fitted", fitted.clone()), ("learner", truth.clone())];
    losses.iter().for_each(|(name, logarithms)| println!("{name:<9}  {:.5}", on_test(logarithms)));

    let errors = standard_errors(&fitted, &train);
    println!("\nparameter  default  learner   fitted  deviation of the logarithm in standard errors");
    let mut within = 0;
    for (k, error) in errors.iter().enumerate() {
        let deviation = fitted[[k]] - truth[[k]];
        within += usize::from(deviation.abs() < 2.0 * error);
        let [learner, fitted] = [truth[[k]], fitted[[k]]].map(f64::exp);
        println!(
            "{:<9}  {:>7.4}  {learner:>7.4}  {fitted:>7.4}  {deviation:>6.3} ± {error:.3}  {:>5.1}",
            format!("w{k}"),
            DEFAULTS[k],
            deviation / error
        );
    }
    println!("{within} of 21 are within two standard errors\n");
    figure("26_spaced_repetition", "FSRS-6 fitted to a log of reviews", (1200, 500), |area| {
        let (left, right) = area.split_horizontally(700);
        draw_parameters(&left, &truth, &fitted, &errors)?;
        draw_calibration(&right, &[("defaults", &defaults(), COLORS[1]), ("fitted", &fitted, COLORS[0])], &test)
    })
}

/// Draws the ratio of each fitted parameter to the learner's own, with two standard errors to either side.
fn draw_parameters(area: &Canvas, truth: &Tensor<f64>, fitted: &Tensor<f64>, errors: &[f64]) -> Outcome {
    let mut chart = ChartBuilder::on(area)
        .caption("Fitted parameters, with two standard errors; crosses: defaults", (FONT, 17))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d(-0.7..20.7, Log(0.3..3.0))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(21)
        .y_labels(20)
        .x_label_formatter(&|k| format!("w{k}"))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .bold_line_style(BLACK.mix(0.1))
        .light_line_style(TRANSPARENT)
        .y_desc("ratio to the learner's own")
        .draw()?;
    stroke(&chart, [(-0.7, 1.0), (20.7, 1.0)], BLACK)?;
    for (k, error) in errors.iter().enumerate() {
        let (x, deviation) = (k as f64, fitted[[k]] - truth[[k]]);
        let ends = [-2.0, 2.0].map(|side: f64| (x, (deviation + side * error.min(9.0)).exp()));
        stroke(&chart, ends, COLORS[0].stroke_width(2))?;
        let default = DEFAULTS[k] / truth[[k]].exp();
        let inside = |ratio: f64| (0.3..3.0).contains(&ratio).then_some((x, ratio));
        chart.draw_series(inside(default).map(|at| Cross::new(at, 5, COLORS[1].stroke_width(2))))?;
        chart.draw_series(inside(deviation.exp()).map(|at| Circle::new(at, 5, COLORS[0].filled())))?;
    }
    Ok(())
}

/// Draws the fraction of cards that were recalled against the predicted probability, in twenty bins.
fn draw_calibration(area: &Canvas, models: &[(&str, &Tensor<f64>, RGBColor)], log: &[Review]) -> Outcome {
    const BINS: usize = 20;
    const LEAST: usize = 20;
    let mut chart = ChartBuilder::on(area)
        .caption("Other cards: prediction and outcome", (FONT, 17))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d(0.3..1.0, 0.3..1.0)?;
    chart
        .configure_mesh()
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .bold_line_style(BLACK.mix(0.1))
        .light_line_style(TRANSPARENT)
        .x_desc("predicted probability of recall")
        .y_desc("fraction recalled")
        .draw()?;
    stroke(&chart, [(0.3, 0.3), (1.0, 1.0)], BLACK)?;
    for (name, logarithms, color) in models {
        let mut bins = vec![Vec::new(); BINS];
        for (chance, recalled, weight) in predictions(&Tape::new_f64().constant(*logarithms), log) {
            let outcomes = chance.value().as_slice().iter().zip(recalled.as_slice()).zip(weight.as_slice());
            let counted =
                outcomes.filter(|(_, weight)| **weight > 0.0).map(|((chance, recalled), _)| (*chance, *recalled));
            counted.for_each(|pair| bins[((pair.0 * BINS as f64) as usize).min(BINS - 1)].push(pair));
        }
        let mean = |bin: &Vec<(f64, f64)>, value: fn(&(f64, f64)) -> f64| {
            bin.iter().map(value).sum::<f64>() / bin.len() as f64
        };
        let full = bins.iter().filter(|bin| bin.len() >= LEAST);
        let points: Vec<(f64, f64)> = full.map(|bin| (mean(bin, |pair| pair.0), mean(bin, |pair| pair.1))).collect();
        stroke(&chart, points.iter().copied(), color.stroke_width(2))?;
        let (color, inside) = (*color, points.into_iter().filter(|&(x, y)| x.min(y) > 0.3));
        chart
            .draw_series(inside.map(|point| Circle::new(point, 4, color.filled())))?
            .label(*name)
            .legend(move |(x, y)| Circle::new((x + 9, y), 5, color.filled()));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font((FONT, 15)).draw()?;
    Ok(())
}
