//! Ratings of items by users, read from files or generated from known factors.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use wengert::data::{Samples, csv};
use wengert::prelude::*;

/// Minimum number of ratings to split and learn from.
const MIN_RATINGS: usize = 20;
/// The generated ratings: numbers of users, items and factors, and the fraction of pairs with a rating.
const USERS: usize = 600;
const ITEMS: usize = 400;
const FACTORS: usize = 3;
const RATED: f64 = 0.2;
/// Standard deviation of the noise in the generated ratings.
const NOISE: f64 = 0.3;
/// The lowest and the highest rating.
const STARS: (f32, f32) = (1.0, 5.0);

/// User and item indices, and the ratings.
pub type Ratings = Samples<(Vec<usize>, Vec<usize>), Tensor>;

/// Ratings with the names of users and items.
pub struct Table {
    pub ratings: Ratings,
    pub users: Vec<String>,
    pub items: Vec<String>,
    /// L2 penalty on factors that suits the ratings: larger for noisier ratings and weaker factors.
    pub penalty: f64,
    /// The generated ratings without noise: `[users, items]`.
    pub truth: Option<Tensor>,
}

/// Generates ratings from 1 to 5: a mean, user and item biases, the dot product of factors, and noise.
pub fn generate(rng: &mut impl Rng) -> Table {
    let normal = |shape: [usize; 2], std: f64, rng: &mut _| Tensor::<f32>::randn(shape, rng) * std;
    let biases = normal([USERS, 1], 0.25, rng) + normal([1, ITEMS], 0.35, rng);
    let factors = normal([USERS, FACTORS], 0.55, rng).matmul(&normal([FACTORS, ITEMS], 0.55, rng));
    let stars = |rating: f32| rating.clamp(STARS.0, STARS.1);
    let truth = (biases + factors + 3.1).map(stars);
    let given = (&truth + normal([USERS, ITEMS], NOISE, rng)).map(stars);
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

/// Reads ratings in MovieLens format: the columns userId, movieId and rating. Titles are optional: the first two columns,
/// id and title, of a `movies.csv` beside the file.
pub fn read(path: &Path) -> Result<Table, Box<dyn Error>> {
    let table = csv::read(path)?;
    let (raters, users) = table.classes("userId")?;
    let (rated, items) = table.classes("movieId")?;
    let ratings = table.tensor(["rating"])?.reshape([table.len()]);
    if let Some(row) = ratings.to_vec().iter().position(|rating| !rating.is_finite()) {
        return Err(format!("{path:?}: rating number {} is {}", row + 1, ratings[[row]]).into());
    }
    if table.len() < MIN_RATINGS {
        return Err(format!("{path:?}: expected at least {MIN_RATINGS} ratings, found {}", table.len()).into());
    }
    let items = titles(&path.with_file_name("movies.csv"), items)?;
    Ok(Table { ratings: Samples::new((raters, rated), ratings), users, items, penalty: 15.0, truth: None })
}

/// Replaces item ids by titles where there are any.
fn titles(path: &Path, items: Vec<String>) -> Result<Vec<String>, wengert::Error> {
    if !path.exists() {
        return Ok(items);
    }
    // Some copies have no header row. If there is one, it is read as an item that nobody has rated.
    let table = csv::Reader::new().without_header().read(path)?;
    let titles: HashMap<&str, &str> = table.text(0)?.into_iter().zip(table.text(1)?).collect();
    Ok(items
        .into_iter()
        .map(|item| titles.get(item.as_str()).map_or(item.clone(), |title| title.to_string()))
        .collect())
}
