//! Reductions over all, one and several axes, and scans along an axis.

mod accuracy;
mod minmax;
mod product;
mod scan;
mod statistics;
mod sum;
mod vector_norm;

use crate::support::gradients::Row;
use crate::support::panics::Panic;

pub fn rows() -> Vec<Row> {
    let rows = [minmax::rows(), product::rows(), scan::rows(), statistics::rows(), sum::rows(), vector_norm::rows()];
    rows.into_iter().flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [minmax::PANICS, product::PANICS, scan::PANICS, statistics::PANICS, sum::PANICS, vector_norm::PANICS].concat()
}
