//! Convolutions and pooling.

mod conv;
mod pool;

use crate::support::gradients::Row;
use crate::support::panics::Panic;

pub fn rows() -> Vec<Row> {
    let rows = [conv::rows(), conv::unfold::rows(), pool::average::rows(), pool::max::rows()];
    rows.into_iter().flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [conv::PANICS, conv::unfold::PANICS, pool::average::PANICS, pool::max::PANICS].concat()
}
