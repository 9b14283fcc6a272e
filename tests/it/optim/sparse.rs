//! Steps with gradients that are lists of rows.

use crate::support::compare::assert_close;
use crate::support::draw::Draw;
use wengert::optim::{AdaDelta, AdaGrad, Adamax, Lion, NAdam, RAdam, RmsProp};
use wengert::prelude::*;

type Boxed = Box<dyn Optimizer<f64>>;

const SHAPE: [usize; 2] = [40, 3];

/// The table after some steps, each with lookups of a few random rows.
fn trained(mut optimizer: Boxed, dense: bool) -> Tensor<f64> {
    let mut draw = Draw::new(1);
    let mut table = Param::new(draw.normal(&SHAPE));
    for _ in 0..6 {
        let rows = draw.indices(SHAPE[0], &[3, 2]);
        let gradients = Tape::new_f64().param(&table).embedding(&rows, None).square().sum().backward();
        assert!(gradients.rows(&table).is_some());
        optimizer.step(&mut table, &if dense { gradients.into_dense() } else { gradients });
    }
    table.value().clone()
}

#[test]
fn all_optimizers_but_adam_are_exact() {
    let optimizers: [fn() -> Boxed; 14] = [
        || Box::new(Sgd::new(0.1)),
        || Box::new(Sgd::new(0.1).maximize()),
        || Box::new(Sgd::new(0.1).momentum(0.9)),
        || Box::new(Sgd::new(0.1).weight_decay(0.1)),
        || Box::new(AdaGrad::new(0.1)),
        || Box::new(AdaGrad::new(0.1).learning_rate_decay(0.1)),
        || Box::new(AdaGrad::new(0.1).initial_accumulator(0.5)),
        || Box::new(AdaGrad::new(0.1).weight_decay(0.1)),
        || Box::new(AdaDelta::new(1.0)),
        || Box::new(Adamax::new(0.1)),
        || Box::new(Lion::new(0.1)),
        || Box::new(NAdam::new(0.1)),
        || Box::new(RAdam::new(0.1)),
        || Box::new(RmsProp::new(0.1)),
    ];
    for optimizer in optimizers {
        let name = optimizer().name();
        assert_eq!(trained(optimizer(), false), trained(optimizer(), true), "{name}");
    }
}

/// The same rows trained by the formulas of PyTorch's `SparseAdam`: moments of the rows that are read, steps of all.
fn sparse_adam(learning_rate: f64, decay: f64) -> Tensor<f64> {
    let mut draw = Draw::new(1);
    let mut table = draw.normal(&SHAPE);
    let (mut m, mut v) = (vec![0.0; table.len()], vec![0.0; table.len()]);
    for t in 1..=6 {
        let rows = draw.indices(SHAPE[0], &[3, 2]);
        let uses = |row: usize| rows.as_slice().iter().filter(|&&index| index == row).count() as f64;
        let correction = (1.0 - 0.999f64.powi(t)).sqrt() / (1.0 - 0.9f64.powi(t));
        for (k, p) in table.as_mut_slice().iter_mut().enumerate().filter(|(k, _)| uses(k / SHAPE[1]) > 0.0) {
            let g = 2.0 * *p * uses(k / SHAPE[1]);
            m[k] += 0.1 * (g - m[k]);
            v[k] += 0.001 * (g * g - v[k]);
            *p -= learning_rate * (decay * *p + correction * m[k] / v[k].sqrt());
        }
    }
    table
}

#[test]
fn adam_updates_the_moments_and_weights_of_the_rows_alone() {
    let adam = Adam::new(0.1).epsilon(0.0);
    assert_close(&trained(Box::new(adam.clone()), false), &sparse_adam(0.1, 0.0));
    assert_ne!(trained(Box::new(adam.clone()), false), trained(Box::new(adam), true));
    let decoupled = AdamW::new(0.1).epsilon(0.0).weight_decay(0.3);
    assert_close(&trained(Box::new(decoupled), false), &sparse_adam(0.1, 0.3));
}
