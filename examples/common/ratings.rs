//! Ratings of items by users, for the example on recommendation: read from files, or generated from known factors.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use wengert::data::{Samples, csv};
use wengert::prelude::*;

/// Fewer ratings than this cannot be split and learned from.
const FEWEST: usize = 20;
/// The generated ratings: how many users, items and factors there are, and how many of all pairs have a rating.
const USERS: usize = 600;
const ITEMS: usize = 400;
const FACTORS: usize = 3;
const RATED: f64 = 0.2;
/// The standard deviation of what no model can know about a generated rating.
pub const NOISE: f64 = 0.5;

/// Who rated what, by their positions in the lists of names, and how.
pub type Ratings = Samples<(Vec<usize>, Vec<usize>), Tensor>;

/// Ratings, and what is known about the users and items.
pub struct Table {
    pub ratings: Ratings,
    pub users: Vec<String>,
    pub items: Vec<String>,
    /// How strongly factors should be held small: the noisier the ratings and the weaker the factors, the more.
    pub penalty: f64,
    /// What the generated ratings are without their noise: `[users, items]`.
    pub truth: Option<Tensor>,
}

/// Ratings that follow a model: a mean, a bias for each user and item, the product of their factors, and noise.
pub fn generate(rng: &mut impl Rng) -> Table {
    let normal = |shape: [usize; 2], std: f64, rng: &mut _| Tensor::<f32>::randn(shape, rng) * std;
    let biases = normal([USERS, 1], 0.3, rng) + normal([1, ITEMS], 0.4, rng);
    let factors = normal([USERS, FACTORS], 0.7, rng).matmul(&normal([FACTORS, ITEMS], 0.7, rng));
    let truth = biases + factors + 3.5;
    let given = truth.clone() + normal([USERS, ITEMS], NOISE, rng);
    let chosen = Tensor::<f32>::uniform([USERS, ITEMS], 0.0, 1.0, rng);
    let pairs = || (0..USERS * ITEMS).filter(|&pair| f64::from(chosen.as_slice()[pair]) < RATED);
    let inputs = pairs().map(|pair| (pair / ITEMS, pair % ITEMS)).unzip();
    let targets: Vec<f32> = pairs().map(|pair| given.as_slice()[pair]).collect();
    Table {
        ratings: Samples::new(inputs, Tensor::from_slice(&targets, [targets.len()])),
        users: (1..=USERS).map(|number| number.to_string()).collect(),
        items: (1..=ITEMS).map(|number| format!("item {number}")).collect(),
        penalty: 6.0,
        truth: Some(truth),
    }
}

/// Reads ratings in MovieLens's form: the columns userId, movieId and rating. The titles, if they are there, are in
/// the first two columns of movies.csv beside it: number and title.
pub fn read(path: &Path) -> Result<Table, Box<dyn Error>> {
    let table = csv::read(path)?;
    let (raters, users) = table.classes("userId")?;
    let (rated, items) = table.classes("movieId")?;
    let ratings = table.tensor(["rating"])?.reshape([table.len()]);
    if let Some(row) = ratings.to_vec().iter().position(|rating| !rating.is_finite()) {
        return Err(format!("{path:?}: rating number {} is {}", row + 1, ratings[[row]]).into());
    }
    if table.len() < FEWEST {
        return Err(format!("{path:?}: expected at least {FEWEST} ratings, found {}", table.len()).into());
    }
    let items = titles(&path.with_file_name("movies.csv"), items)?;
    Ok(Table { ratings: Samples::new((raters, rated), ratings), users, items, penalty: 15.0, truth: None })
}

/// The title of each item instead of its number, where there is one.
fn titles(path: &Path, items: Vec<String>) -> Result<Vec<String>, wengert::Error> {
    if !path.exists() {
        return Ok(items);
    }
    // Some copies have no heading. Where there is one, it is the title of an item that nobody has rated.
    let table = csv::Reader::new().without_header().read(path)?;
    let titles: HashMap<&str, &str> = table.text(0)?.into_iter().zip(table.text(1)?).collect();
    Ok(items
        .into_iter()
        .map(|item| titles.get(item.as_str()).map_or(item.clone(), |title| title.to_string()))
        .collect())
}
