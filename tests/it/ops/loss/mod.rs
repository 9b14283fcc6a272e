//! Losses, also differentiated with respect to their targets.

mod classification;
mod probability;
mod regression;

use crate::support::gradients::{Row, Shapes};
use crate::support::panics::Panic;

/// An input and a target of the same shape.
const SAME: Shapes = &[&[&[], &[]], &[&[3], &[3]], &[&[2, 3], &[2, 3]], &[&[0, 3], &[0, 3]]];

pub fn rows() -> Vec<Row> {
    [classification::rows(), probability::rows(), regression::rows()].into_iter().flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [classification::PANICS, probability::PANICS, regression::PANICS, &regression::SHAPES].concat()
}
