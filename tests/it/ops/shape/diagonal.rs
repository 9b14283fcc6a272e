//! Diagonals and triangular parts of matrices.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::draw::Draw;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{Case, case, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("tril", &[&[&[3, 3]], &[&[2, 2, 4]], &[&[0, 3]]], |x| x[0].tril(0)),
        row("tril", &[&[&[3, 4]]], |x| x[0].tril(-1)),
        row("triu", &[&[&[3, 3]], &[&[2, 4, 2]], &[&[3, 0]]], |x| x[0].triu(1)),
        row("triu", &[&[&[3, 4]]], |x| x[0].triu(-5)),
        row("diagonal", &[&[&[3, 3]], &[&[2, 4, 2]], &[&[0, 2]]], |x| x[0].diagonal(0, 0, 1)),
        row("diagonal", &[&[&[3, 4, 2]]], |x| x[0].diagonal(-1, 1, 0)),
        row("diagonal", &[&[&[2, 3]]], |x| x[0].diagonal(7, 0, 1)),
        row("diag_embed", &[&[&[3]], &[&[2, 2]], &[&[0]]], |x| x[0].diag_embed(-1)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("no_matrix", || _ = variable().sum_over(1).triu(0)),
    ("axis_twice", || _ = variable().diagonal(0, 1, -1)),
    ("axis_out_of_range", || _ = variable().sum().diag_embed(0)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("tril", |draw| triangle(draw, Var::tril)),
        ("triu", |draw| triangle(draw, Var::triu)),
        ("diagonal", |draw| {
            let shape = draw.shape(2);
            let (rows, columns) = (draw.size(0, shape.len() - 1), draw.size(1, shape.len() - 1));
            let (columns, offset) = ((rows + columns) % shape.len(), draw.int(-3, 3));
            case([shape], move |x| x[0].diagonal(offset, rows, columns))
        }),
        ("diag_embed", |draw| {
            let (shape, offset) = (draw.shape(1), draw.int(-2, 2));
            case([shape[..shape.len().min(3)].to_vec()], move |x| x[0].diag_embed(offset))
        }),
    ]);
}

fn triangle(draw: &mut Draw, f: fn(&Var<f64>, isize) -> Var<f64>) -> Case {
    let (shape, diagonal) = (draw.shape(2), draw.int(-3, 3));
    case([shape], move |x| f(&x[0], diagonal))
}

#[test]
fn diagonal_is_adjoint_to_diag_embed() {
    check_adjoint(|draw| {
        let (n, front, offset) = (draw.size(0, 4), draw.shape(0), draw.int(-2, 2));
        let side = n + offset.unsigned_abs();
        let shape = front[..front.len().min(2)].iter().copied().chain([side, side]).collect();
        pair(shape, move |x| x.diagonal(offset, -2, -1), move |y| y.diag_embed(offset))
    });
}

#[test]
fn tril_is_adjoint_to_itself() {
    check_adjoint(|draw| {
        let (shape, diagonal) = (draw.shape(2), draw.int(-3, 3));
        pair(shape, move |x| x.tril(diagonal), move |y| y.tril(diagonal))
    });
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn the_triangles_are_the_whole() {
    for seed in 0..100 {
        let mut draw = Draw::new(seed);
        let (shape, diagonal) = (draw.shape(2), draw.int(-4, 4));
        let x = draw.normal(&shape);
        assert_eq!(x.tril(diagonal) + x.triu(diagonal + 1), x);
    }
}
