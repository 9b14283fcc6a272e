//! Layers and models.

mod batch_norm;
mod conv;
mod dropout;
mod embedding;
mod group_norm;
mod init;
mod layer_norm;
mod linear;
mod module;
mod pool;
mod recompute;
mod summary;

use crate::support::panics::Panic;

pub fn panics() -> Vec<Panic> {
    [
        batch_norm::PANICS,
        conv::PANICS,
        dropout::PANICS,
        embedding::PANICS,
        group_norm::PANICS,
        init::PANICS,
        layer_norm::PANICS,
        linear::PANICS,
        pool::PANICS,
    ]
    .concat()
}
