//! The trainer of the crate `fsrs` on the reviews that `26_spaced_repetition --log DIR` writes: `peer-fsrs DIR`.

use fsrs::{ComputeParametersInput, DEFAULT_PARAMETERS, FSRS, FSRSItem, FSRSReview, compute_parameters, current_retrievability};
use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// For each review that is not on the day of the one before, the reviews of the card up to it.
fn items(path: &Path) -> Result<Vec<FSRSItem>, Box<dyn Error>> {
    let (mut items, mut card, mut reviews) = (Vec::new(), String::new(), Vec::new());
    for line in fs::read_to_string(path)?.lines().skip(1) {
        let [id, days, grade] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("{}: {line}: expected card,days,grade", path.display()).into());
        };
        if card != id {
            (card, reviews) = (id.to_string(), Vec::new());
        }
        reviews.push(FSRSReview { rating: grade.parse()?, delta_t: days.parse()? });
        if reviews.last().is_some_and(|review| review.delta_t > 0) {
            items.push(FSRSItem { reviews: reviews.clone() });
        }
    }
    Ok(items)
}

/// The mean negative logarithm of the probabilities of what happened, without weights.
fn log_loss(parameters: &[f32], items: &[FSRSItem]) -> Result<f64, Box<dyn Error>> {
    let model = FSRS::new(parameters)?;
    let mut sum = 0.0;
    for item in items {
        let (last, before) = item.reviews.split_last().expect("an item has reviews");
        let memory = model.memory_state(FSRSItem { reviews: before.to_vec() }, None)?;
        let chance = f64::from(current_retrievability(memory, last.delta_t as f32, parameters[20]));
        sum -= if last.rating > 1 { chance.ln() } else { (1.0 - chance).ln() };
    }
    Ok(sum / items.len() as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args().nth(1).ok_or("which directory has train.csv and test.csv?")?;
    let [train, test] = ["train.csv", "test.csv"].map(|name| items(&Path::new(&directory).join(name)));
    let (train, test) = (train?, test?);
    let fitted = compute_parameters(ComputeParametersInput { train_set: train, ..Default::default() })?;
    println!("log-loss on the other cards: defaults {:.5}, fitted {:.5}", log_loss(&DEFAULT_PARAMETERS, &test)?, log_loss(&fitted, &test)?);
    println!("{fitted:?}");
    Ok(())
}
