//! Layers and models.

mod activation;
mod attention;
mod batch_norm;
mod conv;
mod derive;
mod dropout;
mod embedding;
mod freeze;
mod group_norm;
mod init;
mod layer;
mod layer_norm;
mod linear;
mod module;
mod norms;
mod pool;
mod recompute;
mod recurrent;
mod sequential;
mod summary;
mod transformer;

use crate::support::panics::Panic;
use wengert::prelude::*;

pub fn panics() -> Vec<Panic> {
    [
        attention::PANICS,
        batch_norm::PANICS,
        conv::PANICS,
        dropout::PANICS,
        embedding::PANICS,
        group_norm::PANICS,
        init::PANICS,
        layer_norm::PANICS,
        linear::PANICS,
        norms::PANICS,
        pool::PANICS,
        recurrent::PANICS,
    ]
    .concat()
}

fn linear(inputs: usize, outputs: usize) -> Linear {
    Linear::new(inputs, outputs, Init::Xavier, &mut wengert::rng(7))
}

fn paths<T: Float>(model: &(impl Module<T> + ?Sized)) -> Vec<String> {
    model.parameters().into_iter().map(|(path, _)| path).collect()
}
