//! Shapes and element order.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{any, case, check_linear};
use crate::support::samples::variable;

pub fn rows() -> Vec<Row> {
    vec![
        row("reshape", &[&[&[2, 3]], &[&[6]], &[&[0, 6]]], |x| x[0].reshape([-1, 6])),
        row("flatten", &[&[&[2, 3, 2]], &[&[2, 0, 2]]], |x| x[0].flatten(1, -1)),
        row("flatten", &[&[&[]], &[&[3]]], |x| x[0].flatten(0, -1)),
        row("squeeze", &[&[&[1, 3, 1]], &[&[1]]], |x| x[0].squeeze()),
        row("squeeze_axis", &[&[&[2, 1]]], |x| x[0].squeeze_axis(-1)),
        row("squeeze_axis", &[&[&[1, 2, 1]]], |x| x[0].squeeze_axis([0, 2])),
        row("unsqueeze", &[&[&[2, 3]], &[&[]]], |x| x[0].unsqueeze(0)),
        row("transpose", &[&[&[2, 3]], &[&[2, 3, 4]], &[&[0, 3]]], |x| x[0].transpose(0, -1)),
        row("permute", &[&[&[2, 3, 4]], &[&[1, 2, 0]]], |x| x[0].permute([2, 0, 1])),
        row("roll", &[&[&[5]], &[&[3, 2]], &[&[0, 2]]], |x| x[0].roll(2, 0)),
        row("roll", &[&[&[2, 4]]], |x| x[0].roll(-5, -1)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().transpose(0, 2)),
    ("new_axis_out_of_range", || _ = variable().unsqueeze(4)),
    ("element_count", || _ = variable().reshape([5])),
    ("not_a_permutation", || _ = variable().permute([0, 0])),
    ("not_removable", || _ = variable().squeeze_axis(0)),
    ("axes_out_of_order", || _ = variable().flatten(1, 0)),
    ("axis_out_of_range", || _ = variable().roll(1, 2)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("permute", |draw| {
            let shape = draw.shape(0);
            let mut axes: Vec<usize> = (0..shape.len()).collect();
            axes.rotate_left(shape.len().min(1));
            case([shape], move |x| x[0].permute(axes.as_slice()))
        }),
        ("flatten", |draw| any(draw, |x| x.flatten(0, -1))),
        ("roll", |draw| {
            let shape = draw.shape(1);
            let (axis, shift) = (draw.axis(&shape), draw.int(-7, 7));
            case([shape], move |x| x[0].roll(shift, axis))
        }),
    ]);
}

#[test]
fn permute_is_adjoint_to_its_inverse() {
    check_adjoint(|draw| {
        let shape = draw.shape(1);
        let axes: Vec<usize> = (1..shape.len()).chain([0]).collect();
        let inverse: Vec<usize> = [shape.len() - 1].into_iter().chain(0..shape.len() - 1).collect();
        pair(shape, move |x| x.permute(axes.as_slice()), move |y| y.permute(inverse.as_slice()))
    });
}

#[test]
fn roll_is_adjoint_to_rolling_back() {
    check_adjoint(|draw| {
        let shape = draw.shape(1);
        let (axis, shift) = (draw.axis(&shape), draw.int(-7, 7));
        pair(shape, move |x| x.roll(shift, axis), move |y| y.roll(-shift, axis))
    });
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
