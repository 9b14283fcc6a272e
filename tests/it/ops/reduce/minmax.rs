//! Maxima and minima along axes, on inputs without near ties.

use crate::support::gradients::{ANY_RANK, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("max", ANY_RANK, |x| x[0].max()),
        row("min", ANY_RANK, |x| x[0].min()),
        row("max_over", THREE_AXES, |x| x[0].max_over(1)),
        row("max_over", &[&[&[0, 2]]], |x| x[0].max_over(1)),
        row("min_over", THREE_AXES, |x| x[0].min_over(keepdim([0, 2]))),
        row("amax_over", THREE_AXES, |x| x[0].amax_over([0, 1])),
        row("amin_over", THREE_AXES, |x| x[0].amin_over(keepdim(1))),
    ]
}

pub const PANICS: &[Panic] = &[
    ("nothing_to_choose", || _ = variable().slice(1, ..0).max()),
    ("nothing_to_choose", || _ = variable().slice(1, ..0).min_over(1)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
