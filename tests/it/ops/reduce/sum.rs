//! Sums, and the repetitions adjoint to them.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::gradients::{ANY_RANK, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{along, case, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("sum", ANY_RANK, |x| x[0].sum()),
        row("sum", &[&[&[0, 2]]], |x| x[0].sum()),
        row("sum_over", THREE_AXES, |x| x[0].sum_over(1)),
        row("sum_over", THREE_AXES, |x| x[0].sum_over([0, -1])),
        row("sum_over", THREE_AXES, |x| x[0].sum_over(keepdim([1, 2]))),
        row("sum_over", &[&[&[2, 0]]], |x| x[0].sum_over(-1)),
        row("broadcast_to", &[&[&[2, 1]], &[&[3]], &[&[]], &[&[4, 2, 3]]], |x| x[0].broadcast_to([4, 2, 3])),
        row("broadcast_to", &[&[&[1, 3]]], |x| x[0].broadcast_to([0, 3])),
        row("repeat", &[&[&[2, 3]], &[&[3]], &[&[]], &[&[0, 2]]], |x| x[0].repeat([2, 1, 3])),
        row("repeat_interleave", &[&[&[2, 3]], &[&[3]]], |x| x[0].repeat_interleave(3, -1)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().sum_over([0, 2])),
    ("does_not_broadcast_to", || _ = variable().broadcast_to([3])),
    ("repeats", || _ = variable().repeat([2, -1])),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("sum_over", |draw| {
            let shape = draw.shape(0);
            let axes = draw.axes(&shape);
            case([shape], move |x| x[0].sum_over(axes.as_slice()))
        }),
        ("broadcast_to", |draw| {
            let (front, back) = (draw.shape(0), draw.shape(0));
            let own = back.iter().map(|&n| if draw.coin() { 1 } else { n }).collect::<Vec<_>>();
            let target: Vec<usize> = front[..front.len().min(2)].iter().chain(&back).copied().collect();
            case([own], move |x| x[0].broadcast_to(target.as_slice()))
        }),
        ("repeat", |draw| {
            let shape = draw.shape(0);
            let new = draw.size(0, 4 - shape.len());
            let repeats: Vec<usize> = (0..shape.len() + new).map(|_| draw.size(0, 2)).collect();
            case([shape], move |x| x[0].repeat(repeats.as_slice()))
        }),
        ("repeat_interleave", |draw| along(draw, |x, axis| x.repeat_interleave(3, axis))),
    ]);
}

#[test]
fn broadcast_to_is_adjoint_to_sum() {
    check_adjoint(|draw| {
        let shape = draw.shape(0);
        let target: Vec<usize> = [draw.size(0, 3)].iter().chain(&shape).copied().collect();
        pair(shape, move |x| x.broadcast_to(target.as_slice()), |y| y.sum_over(0))
    });
}

#[test]
fn repeat_is_adjoint_to_the_sum_of_the_copies() {
    check_adjoint(|draw| {
        let (shape, times) = (draw.shape(1), draw.size(0, 3));
        let n = shape[0] as isize;
        let repeats: Vec<usize> = shape.iter().enumerate().map(|(k, _)| if k == 0 { times } else { 1 }).collect();
        let apart: Vec<isize> = [times as isize, n].into_iter().chain(shape[1..].iter().map(|&n| n as isize)).collect();
        pair(shape, move |x| x.repeat(repeats.as_slice()), move |y| y.reshape(apart.as_slice()).sum_over(0))
    });
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}
