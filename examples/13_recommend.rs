//! Recommendation: predicting ratings from other ratings.
//!
//! `cargo run --release --example 13_recommend` factorizes a table of ratings of which one in five is known: a rating is a
//! mean, plus a user bias, plus an item bias, plus the dot product of user and item factors. The ratings, from 1 to 5, are generated
//! from such a model with noise, so the lowest possible error and the best items are known for comparison.
//!
//! `-- --ratings FILE` reads real ratings instead: a file `ratings.csv` in MovieLens format, with `movies.csv` beside it for
//! the titles. `-- --user NAME` selects the user to recommend items to.

mod support {
    pub mod command;
    pub mod figure;
    pub mod lines;
    pub mod number;
    pub mod path;
    pub mod ratings;
    pub mod scale;
    pub mod stroke;
    pub mod style;
}

use clap::{Arg, ArgMatches, value_parser};
use plotters::prelude::*;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use support::command::start;
use support::figure::{Canvas, Outcome, figure, quick};
use support::lines::{Line, lines, range};
use support::ratings::{self, Ratings, Table};
use support::stroke::stroke;
use support::style::{COLORS, FONT};
use wengert::data::{SampleBatch, Subset};
use wengert::metrics::Mean;
use wengert::optim::Group;
use wengert::optim::schedule::LinearRamp;
use wengert::prelude::*;

/// Fraction of the ratings in the training set; the rest is the test set.
const TRAIN_FRACTION: f64 = 0.9;
const FACTORS: usize = 24;
const BATCH: usize = 500;
/// Initial learning rate; it falls linearly to 0.
const LEARNING_RATE: f64 = 0.01;
/// L2 penalty on biases: equivalent to this many additional average ratings for each user and item.
const BIAS_PENALTY: f64 = 5.0;
/// Number of recommended items.
const TOP: usize = 10;
/// Maximum number of test ratings that are drawn.
const POINTS: usize = 1000;

/// Users and items.
type Pairs = (Vec<usize>, Vec<usize>);
type Batch = SampleBatch<Pairs, Tensor>;

/// `rating = mean + bias of the user + bias of the item + factors of the user · factors of the item`.
struct Model {
    user_bias: Param,
    item_bias: Param,
    /// `[users, factors]` and `[items, factors]`, unless the model has biases only.
    factors: Option<(Param, Param)>,
    mean: f64,
}
module!(Model { user_bias, item_bias, factors; mean });

impl Model {
    fn new(table: &Table, factors: usize, mean: f64, rng: &mut impl Rng) -> Self {
        let (users, items) = (table.users.len(), table.items.len());
        let mut rows = |count| Param::new(Init::Normal(0.1).tensor([count, factors], rng));
        Model {
            user_bias: Param::new(Tensor::zeros([users])),
            item_bias: Param::new(Tensor::zeros([items])),
            factors: (factors > 0).then(|| (rows(users), rows(items))),
            mean,
        }
    }

    /// The predicted ratings.
    fn forward(&self, tape: &Tape, (users, items): &Pairs) -> Var {
        let rows = |table: &Param, indices: &[usize]| tape.param(table).index_select(0, indices);
        let biases = rows(&self.user_bias, users) + rows(&self.item_bias, items) + self.mean;
        match &self.factors {
            Some((of_users, of_items)) => biases + (rows(of_users, users) * rows(of_items, items)).sum_over(1),
            None => biases,
        }
    }

    fn predict(&self, pairs: &Pairs) -> Tensor {
        self.forward(&Tape::inference(), pairs).value().clone()
    }

    /// The predicted ratings of a user for all items.
    fn ratings_of(&self, user: usize) -> Vec<f32> {
        let items = self.item_bias.value().len();
        self.predict(&(vec![user; items], (0..items).collect())).to_vec()
    }
}

/// The root mean squared error.
fn rmse(predicted: &Tensor, given: &Tensor) -> f64 {
    let error: Tensor<f64> = (predicted - given).cast();
    error.map(|error| error * error).mean().item().sqrt()
}

/// A trained model and its training and test RMSE after each epoch.
struct Run {
    model: Model,
    errors: Vec<[f64; 2]>,
}

/// Trains a model to minimize `Σ error² + Σ penalty · parameter²`, divided by the number of ratings.
fn train(mut model: Model, penalty: f64, [train_part, test_part]: [&Subset<Ratings>; 2], rng: &mut impl Rng) -> Run {
    let epochs = if quick() { 6 } else { 30 };
    let sets = [train_part.all(), test_part.all()];
    // The derivative of penalty · parameter² has a factor 2.
    let decay = |penalty: f64| 2.0 * penalty / train_part.len() as f64;
    let biases = Group::matching(|path| path.ends_with("_bias")).weight_decay(decay(BIAS_PENALTY));
    let mut optimizer = Adam::new(LEARNING_RATE).weight_decay(decay(penalty)).group(biases);
    let schedule = LinearRamp::new(LEARNING_RATE, epochs).start_factor(1.0).end_factor(0.0);
    let evaluate = |model: &Model| sets.each_ref().map(|set| rmse(&model.predict(&set.inputs), &set.targets));
    let mut errors = vec![evaluate(&model)];
    for epoch in 0..epochs {
        optimizer.set_learning_rate(schedule.at(epoch));
        for batch in train_part.batches(BATCH).shuffled(rng) {
            let tape = Tape::training(rng);
            let loss = model.forward(&tape, &batch.inputs).mse_loss(&batch.targets, Reduction::Mean);
            optimizer.step(&mut model, &loss.backward());
        }
        errors.push(evaluate(&model));
    }
    Run { model, errors }
}

fn run(options: &ArgMatches) -> Outcome {
    let mut rng = wengert::rng(0);
    let table = match options.get_one::<PathBuf>("ratings") {
        Some(path) => ratings::read(path)?,
        None => ratings::generate(&mut rng),
    };
    let Table { users, items, .. } = &table;
    let user = match options.get_one::<String>("user") {
        Some(name) => users.iter().position(|user| user == name).ok_or_else(|| format!("there is no user {name:?}"))?,
        None => 0,
    };
    let (train_part, test_part) = table.ratings.split(TRAIN_FRACTION, &mut rng);
    let (train_set, test_set) = (train_part.all(), test_part.all());
    println!("{} ratings of {} items by {} users", table.ratings.len(), items.len(), users.len());
    println!("{} for training, {} for testing\n", train_part.len(), test_part.len());

    let mean = f64::from(train_set.targets.mean().item());
    println!("test RMSE global mean: {:.4}", rmse(&Tensor::full([test_part.len()], mean), &test_set.targets));
    let mut trained = |name: &str, factors| {
        let model = Model::new(&table, factors, mean, &mut rng);
        let run = train(model, table.penalty, [&train_part, &test_part], &mut rng);
        println!("test RMSE {name}: {:.4}", run.errors[run.errors.len() - 1][1]);
        run
    };
    let biases = trained("biases", 0);
    let factorization = trained("factorization", FACTORS);
    let seen = rated_items(users.len(), &train_set.inputs);
    if let Some(truth) = &table.truth {
        let exact = without_noise(truth, &test_set.inputs);
        let recovered = rmse(&exact, &factorization.model.predict(&test_set.inputs));
        println!("lowest possible test RMSE, that of the noise: {:.4}", rmse(&exact, &test_set.targets));
        println!("RMSE of the factorization to the ratings without noise: {recovered:.4}\n");
        let [of_biases, of_factors] = [&biases, &factorization].map(|run| hit_rate(&run.model, truth, &seen));
        println!("fraction of a user's {TOP} best unseen items among the {TOP} recommended:");
        println!(
            "by factorization {of_factors:.3}, by biases {of_biases:.3}, by chance {:.3}",
            chance(items.len(), &seen)
        );
    }
    recommend(user, &table, &seen[user], &factorization.model);
    draw(&table, &test_set, &biases, &factorization)
}

/// The items that each user has rated in the training set.
fn rated_items(users: usize, pairs: &Pairs) -> Vec<HashSet<usize>> {
    let mut items = vec![HashSet::new(); users];
    for (&user, &item) in pairs.0.iter().zip(&pairs.1) {
        items[user].insert(item);
    }
    items
}

/// The unseen items with the highest ratings, best first.
fn best_unseen(ratings: &[f32], seen: &HashSet<usize>) -> Vec<usize> {
    let mut unseen: Vec<usize> = (0..ratings.len()).filter(|item| !seen.contains(item)).collect();
    unseen.sort_by(|&a, &b| ratings[b].total_cmp(&ratings[a]));
    unseen.truncate(TOP);
    unseen
}

/// The fraction of the truly best unseen items that are recommended, over all users.
fn hit_rate(model: &Model, truth: &Tensor, seen: &[HashSet<usize>]) -> f64 {
    let mut hits = Mean::new();
    for (user, (truth, seen)) in truth.as_slice().chunks(truth.shape()[1]).zip(seen).enumerate() {
        let recommended = best_unseen(&model.ratings_of(user), seen);
        best_unseen(truth, seen).iter().for_each(|item| hits.add(f64::from(u8::from(recommended.contains(item)))));
    }
    hits.value()
}

/// The same for random recommendations.
fn chance(items: usize, seen: &[HashSet<usize>]) -> f64 {
    seen.iter().map(|seen| TOP as f64 / (items - seen.len()) as f64).sum::<f64>() / seen.len() as f64
}

/// The generated ratings of user-item pairs before noise was added.
fn without_noise(truth: &Tensor, (users, items): &Pairs) -> Tensor {
    let ratings = users.iter().zip(items).map(|(&user, &item)| truth[[user, item]]).collect();
    Tensor::from_vec(ratings, [users.len()])
}

/// Prints a user's highest ratings and the recommended items.
fn recommend(user: usize, table: &Table, seen: &HashSet<usize>, model: &Model) {
    let all = table.ratings.all();
    let (users, items) = &all.inputs;
    let mut given: Vec<(f32, usize)> = (0..users.len())
        .filter(|&k| users[k] == user && seen.contains(&items[k]))
        .map(|k| (all.targets[[k]], items[k]))
        .collect();
    given.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("\nuser {}, {} ratings, the highest:", table.users[user], given.len());
    given.iter().take(TOP / 2).for_each(|&(rating, item)| println!("  {rating:5.2}  {}", table.items[item]));

    println!("recommended, with the predicted rating:");
    let predicted = model.ratings_of(user);
    for item in best_unseen(&predicted, seen) {
        let truth = table.truth.as_ref().map(|truth| format!("  (without noise {:.2})", truth[[user, item]]));
        println!("  {:5.2}  {}{}", predicted[item], table.items[item], truth.unwrap_or_default());
    }
}

fn draw(table: &Table, test_set: &Batch, biases: &Run, factorization: &Run) -> Outcome {
    let line = |label: &str, run: &Run, part: usize| Line {
        label: label.into(),
        points: run.errors.iter().enumerate().map(|(epoch, errors)| (epoch as f64, errors[part])).collect(),
    };
    let mut all = vec![
        line("factorization, test", factorization, 1),
        line("factorization, training", factorization, 0),
        line("biases, test", biases, 1),
        line("biases, training", biases, 0),
    ];
    let truth = table.truth.as_ref().map(|truth| without_noise(truth, &test_set.inputs));
    if let Some(truth) = &truth {
        let (last, noise) = ((factorization.errors.len() - 1) as f64, rmse(truth, &test_set.targets));
        all.push(Line { label: "noise".into(), points: vec![(0.0, noise), (last, noise)] });
    }
    let predicted = factorization.model.predict(&test_set.inputs);
    figure("13_recommend", "Matrix factorization of ratings", (1120, 540), |area| {
        let (left, right) = area.split_horizontally(560);
        lines(&left, "epoch 0 is the mean of all ratings", ("epoch", "RMSE"), None, &all)?;
        match &truth {
            Some(truth) => draw_points(&right, "rating without noise", truth, &predicted),
            None => draw_points(&right, "actual rating", &test_set.targets, &predicted),
        }
    })
}

/// Draws predicted against actual test ratings.
fn draw_points(area: &Canvas, x_name: &str, x: &Tensor, y: &Tensor) -> Outcome {
    let points: Vec<(f64, f64)> =
        x.as_slice().iter().zip(y.as_slice()).map(|(&x, &y)| (x.into(), y.into())).take(POINTS).collect();
    let both = range(points.iter().flat_map(|&(x, y)| [x, y]));
    let mut chart = ChartBuilder::on(area)
        .caption("predicted ratings of the test set", (FONT, 18))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d(both.clone(), both.clone())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .x_desc(x_name)
        .y_desc("rating predicted by the factorization")
        .draw()?;
    chart.draw_series(points.iter().map(|&point| Circle::new(point, 2, COLORS[0].mix(0.5).filled())))?;
    stroke(&chart, [both.start, both.end].map(|end| (end, end)), BLACK.stroke_width(1))?;
    Ok(())
}

fn main() -> ExitCode {
    let options = [
        Arg::new("ratings")
            .long("ratings")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Reads ratings in MovieLens format instead of generating them"),
        Arg::new("user").long("user").value_name("NAME").help("User to recommend items to"),
    ];
    match run(&start(include_str!("13_recommend.rs"), options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
