//! The parameter table of a model, and what a run costs.

use super::linear;
use crate::support::samples::Net;
use wengert::Attention;
use wengert::nn::{Conv2d, Lstm, MaxPool2d, MultiHeadAttention};
use wengert::prelude::*;

#[test]
fn summary_of_a_model() {
    insta::assert_snapshot!(Net::new().summary().to_string());
}

#[test]
fn costs_of_a_convolutional_network_by_layer() {
    let rng = &mut wengert::rng(0);
    let pool = MaxPool2d::new(2);
    let model = (Conv2d::new(1, 16, 5, Init::He, rng), Conv2d::new(16, 32, 5, Init::He, rng), linear(512, 10));
    let summary = model.summary_of(|tape| {
        let h = pool.forward(&model.0.forward(&tape.constant(Tensor::zeros([3, 1, 28, 28])))).relu();
        let h = pool.forward(&model.1.forward(&h)).relu();
        model.2.forward(&h.flatten(1, -1))
    });
    insta::assert_snapshot!(summary);
    let convolutions = [24 * 24 * 16 * (2 * 25 + 1), 8 * 8 * 32 * (2 * 16 * 25 + 1)];
    let [pools, relus] = [[24 * 24 * 16, 8 * 8 * 32], [12 * 12 * 16, 4 * 4 * 32]];
    let sum = |counts: [usize; 2]| counts[0] + counts[1];
    let expected = sum(convolutions) + 10 * (2 * 512 + 1) + sum(pools) + sum(relus);
    assert_eq!(summary.operations(), 3 * expected);
    let parameters = model.parameter_count() + 3 * (sum([24 * 24 * 16, 8 * 8 * 32]) + 2 * sum(relus) + 10);
    assert_eq!(summary.bytes(), 4 * parameters);
}

#[test]
fn fused_layers_cost_what_their_products_do() {
    let rng = &mut wengert::rng(0);
    // Products alone: four gates of the input and the state; in attention four projections, the scores and the weighted sum.
    let (steps, batch, inputs, hidden) = (7, 3, 5, 4);
    let lstm: Lstm = Lstm::new(inputs, hidden, rng);
    let summary = lstm.summary_of(|tape| lstm.forward(&tape.constant(Tensor::zeros([steps, batch, inputs]))));
    let products = 2 * steps * batch * 4 * hidden * (inputs + hidden);
    let share = summary.operations() as f64 / products as f64;
    assert!((1.0..1.6).contains(&share), "{share}: {summary}");

    let (length, size) = (32, 64);
    let attention: MultiHeadAttention = MultiHeadAttention::new(size, 4, rng);
    let summary = attention.summary_of(|tape| {
        let x = tape.constant(Tensor::zeros([1, length, size]));
        attention.forward(&x, &Attention::new())
    });
    let products = 2 * (4 * length * size * size + 2 * length * length * size);
    let share = summary.operations() as f64 / products as f64;
    assert!((1.0..1.1).contains(&share), "{share}: {summary}");
}
