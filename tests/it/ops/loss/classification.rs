//! Losses on class labels: for rows, a single row, and rows of positions.

use crate::support::compare::assert_same_orders;
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let rows: Shapes = &[&[&[2, 3]]];
    let options = || CrossEntropy::new().label_smoothing(0.2).class_weights(&[0.5, 1.0, 2.0]).ignore_index(1);
    vec![
        row("softmax_cross_entropy", rows, |x| x[0].softmax_cross_entropy(&[2, 0])),
        row("softmax_cross_entropy", &[&[&[3]]], |x| x[0].softmax_cross_entropy(&[2])),
        row("softmax_cross_entropy", &[&[&[2, 3, 2]]], |x| x[0].softmax_cross_entropy(&[2, 0, 1, 1])),
        row("nll_loss", rows, |x| x[0].nll_loss(&[2, 0])),
        row("nll_loss", &[&[&[2, 3, 2]]], move |x| options().nll_loss(&x[0], &[2, 0, 1, 2])),
        row("loss", &[&[&[4, 3]], &[&[2, 3, 2]]], move |x| options().loss(&x[0], &[2, 0, 1, 2])),
        row("loss", &[&[&[4, 3]]], move |x| options().reduction(Reduction::None).loss(&x[0], &[2, 0, 1, 2])),
        row("soft_target_loss", &[&[&[2, 3], &[2, 3]]], |x| {
            CrossEntropy::new().label_smoothing(0.2).soft_target_loss(&x[0], &x[1])
        }),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes probability_shape", || {
        _ = CrossEntropy::new().soft_target_loss(&variable(), Tensor::ones([3]));
    }),
    ("option", || _ = CrossEntropy::new().class_weights(&[1.0, -1.0])),
    ("option", || _ = CrossEntropy::new().class_weights(&[f64::NAN])),
    ("label_count", || _ = variable().softmax_cross_entropy(&[0])),
    ("label_out_of_range", || _ = variable().nll_loss(&[0, 3])),
    ("class_weights", || {
        _ = CrossEntropy::new().class_weights(&[1.0]).soft_target_loss(&variable(), variable().value());
    }),
    ("class_weights", || _ = CrossEntropy::new().class_weights(&[1.0]).loss(&variable(), &[0, 1])),
    ("no_class_axis", || _ = variable().sum().softmax_cross_entropy(&[0])),
    ("option", || _ = CrossEntropy::new().label_smoothing(1.5)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn cross_entropy_is_its_composition_at_every_order() {
    let labels = tensor![f64; [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
    let log_softmax = |x: &Var<f64>| (x.exp() / x.exp().sum_over(keepdim(1))).ln();
    assert_same_orders(|x| x.softmax_cross_entropy(&[2, 0]), |x| -(log_softmax(x) * &labels).sum() / 2.0);
    assert_same_orders(|x| x.log_softmax(1).nll_loss(&[2, 0]), |x| -(log_softmax(x) * &labels).sum() / 2.0);
    let smoothed = &labels * 0.9 + 0.1 / 3.0;
    let options = CrossEntropy::new().label_smoothing(0.1).reduction(Reduction::Sum);
    assert_same_orders(|x| options.loss(x, &[2, 0]), |x| -(log_softmax(x) * &smoothed).sum());
    // The class axis is the middle one, the first label is ignored, and the mean is weighted.
    let options = CrossEntropy::new().label_smoothing(0.1).class_weights(&[1.0, 2.0, 0.5]).ignore_index(2);
    let weights = tensor![f64; [[0.0, 0.9], [0.0, 0.0], [0.0, 0.0]]]
        + tensor![f64; [[0.0, 1.0], [0.0, 2.0], [0.0, 0.5]]] * (0.1 / 3.0);
    assert_same_orders(
        |x| options.loss(&x.transpose(0, 1).unsqueeze(0), &[2, 0]),
        |x| -(log_softmax(x).transpose(0, 1).unsqueeze(0) * &weights).sum(),
    );
}

#[test]
fn class_weights_apply_to_probabilities() {
    let x = Tape::new_f64().var([[1.0, 2.0, 0.5]]);
    let target = tensor![f64; [0.2, 0.3, 0.5]];
    let weighted = CrossEntropy::new().class_weights(&[10.0, 1.0, 0.0]);
    assert!((weighted.soft_target_loss(&x, &target).item() - 3.068_048_2).abs() < 1e-6);
    let [x, target] = [x.transpose(0, 1).unsqueeze(0), x.constant(&target).transpose(0, 1).unsqueeze(0)];
    assert!((weighted.soft_target_loss(&x, &target).item() - 3.068_048_2).abs() < 1e-6);
}

#[test]
fn a_mean_of_no_weight_is_nan_with_gradient_0() {
    let x = Tape::new_f64().var([[1.0, 2.0]]);
    for smoothing in [0.0, 0.1] {
        let loss = CrossEntropy::new().class_weights(&[0.0, 1.0]).label_smoothing(smoothing).loss(&x, &[0]);
        assert!(loss.item().is_nan());
        assert_eq!(loss.grad(&x).value(), &tensor![f64; [0.0, 0.0]]);
    }
}
