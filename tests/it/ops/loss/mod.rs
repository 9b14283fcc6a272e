//! Losses, also differentiated with respect to their targets.

mod classification;
mod probability;
mod regression;

use crate::support::gradients::Row;
use crate::support::panics::Panic;

pub fn rows() -> Vec<Row> {
    [classification::rows(), probability::rows(), regression::rows()].into_iter().flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [classification::PANICS, regression::PANICS].concat()
}
