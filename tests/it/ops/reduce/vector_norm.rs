//! Vector norms, which are not differentiable at 0.

use crate::support::gradients::{BOTH_SIDES, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::variable;

pub fn rows() -> Vec<Row> {
    let whole = row("norm", &[&[&[3]], &[&[2, 2]], &[&[]]], |x| x[0].norm()).on(&[BOTH_SIDES]);
    let norm = |p: f64| row("norm_over", THREE_AXES, move |x| x[0].norm_over(p, [0, 2])).on(&[BOTH_SIDES]);
    let normalize = |p: f64| row("normalize", THREE_AXES, move |x| x[0].normalize(p, [0, 2], 1e-12)).on(&[BOTH_SIDES]);
    let norms = [2.0, 1.0, 0.0, 3.0, 0.5, -1.0, f64::INFINITY, f64::NEG_INFINITY].map(norm);
    let normalized = [2.0, 1.0, 3.0, f64::INFINITY].map(normalize);
    [whole].into_iter().chain(norms).chain(normalized).collect()
}

pub const PANICS: &[Panic] = &[("axis_out_of_range", || _ = variable().norm_over(3.0, 2))];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
