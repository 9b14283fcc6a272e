//! Embedding lookups.

use crate::support::compare::gradient_and_hessian;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("embedding", &[&[&[4, 3]], &[&[4]], &[&[4, 2, 2]]], |x| x[0].embedding([[0, 3, 3], [1, 0, 0]], None)),
        row("embedding", &[&[&[4, 3]]], |x| x[0].embedding(2, None)),
        // The padding row has no derivative, so here it is a row that is not read.
        row("embedding", &[&[&[4, 3]]], |x| x[0].embedding([0, 3, 3], Some(1))),
    ]
}

pub const PANICS: &[Panic] = &[
    ("selection_out_of_range", || _ = variable().embedding([0, 2], None)),
    ("selection_out_of_range", || _ = variable().embedding([0, 1], Some(2))),
    ("axis_out_of_range", || _ = variable().sum().embedding([0, 1], None)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[("embedding", |draw| {
        let shape = draw.full_shape(1);
        let indices = draw.indices(shape[0], &[2, 3]);
        case([shape], move |x| x[0].embedding(&indices, None))
    })]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn the_padding_row_gets_no_gradient_at_any_order() {
    let table = tensor![f64; [1.0], [2.0], [3.0]];
    let [first, second] = gradient_and_hessian(|x| x.embedding([0, 1, 1], Some(1)), &table);
    assert_eq!(first, tensor![f64; [2.0], [0.0], [0.0]]);
    assert_eq!(second, tensor![f64; [2.0], [0.0], [0.0]]);
}
