//! Operations that take elements by position, put them elsewhere, join them, or run along an axis.

use crate::row::{Row, row};
use wengert::prelude::*;

/// Parts of a value, and values around it.
pub fn parts() -> Vec<Row> {
    let pad = |mode: PadMode| row("pad", &[&[&[2, 3]], &[&[2, 2, 4]]], move |x| x[0].pad(&[(2, 1), (0, 1)], mode));
    vec![
        row("select", &[&[&[4, 3]], &[&[3]]], |x| x[0].select(0, -2)),
        row("select", &[&[&[2, 3, 2]]], |x| x[0].select(-2, 1)),
        row("split", &[&[&[5, 2]], &[&[4]]], |x| x[0].split(2, 0).pop().unwrap()),
        row("split_with_sizes", &[&[&[2, 5]]], |x| x[0].split_with_sizes(&[1, 3, 1], -1).swap_remove(1)),
        row("chunk", &[&[&[7]], &[&[5, 2]]], |x| x[0].chunk(3, 0).pop().unwrap()),
        row("flip", &[&[&[2, 3]], &[&[2, 3, 2]], &[&[2, 0]]], |x| x[0].flip([0, -1])),
        row("roll", &[&[&[5]], &[&[3, 2]], &[&[0, 2]]], |x| x[0].roll(2, 0)),
        row("roll", &[&[&[2, 4]]], |x| x[0].roll(-5, -1)),
        row("pad", &[&[&[3]], &[&[]], &[&[0, 2]]], |x| x[0].pad(&[], PadMode::Reflect)),
        pad(PadMode::Constant(0.0)),
        pad(PadMode::Constant(2.5)),
        pad(PadMode::Reflect),
        pad(PadMode::Replicate),
        pad(PadMode::Circular),
        row("repeat", &[&[&[2, 3]], &[&[3]], &[&[]], &[&[0, 2]]], |x| x[0].repeat([2, 1, 3])),
        row("repeat_interleave", &[&[&[2, 3]], &[&[3]]], |x| x[0].repeat_interleave(3, -1)),
    ]
}

/// Rows and elements by position.
pub fn lookups() -> Vec<Row> {
    let add: [&[&[usize]]; 2] = [&[&[4, 2], &[3, 2]], &[&[3], &[3]]];
    let scatter: [&[&[usize]]; 2] = [&[&[3, 4], &[2, 3]], &[&[3, 3], &[2, 3]]];
    vec![
        row("index_select", &[&[&[4, 2]], &[&[3]], &[&[3, 0]]], |x| x[0].index_select(0, &[2, 0, 2])),
        row("index_select", &[&[&[2, 4, 2]]], |x| x[0].index_select(-2, &[3, 3, 1])),
        row("index_select", &[&[&[2, 3]]], |x| x[0].index_select(1, &[])),
        row("index_add", &add, |x| x[0].index_add(0, &[2, 0, 2], &x[1])),
        row("index_add", &[&[&[2, 2, 3], &[2, 2, 2]]], |x| x[0].index_add(-1, &[1, 1], &x[1])),
        row("gather", &[&[&[3, 4]], &[&[2, 3]]], |x| x[0].gather(1, [[0, 2, 2], [1, 1, 0]])),
        row("gather", &[&[&[3, 4]], &[&[2, 3]]], |x| x[0].gather(0, [[0, 1, 1]])),
        row("gather", &[&[&[2, 2, 2]]], |x| x[0].gather(1, Indices::new([0, 1, 1, 1], [2, 2, 1]))),
        row("scatter_add", &scatter, |x| x[0].scatter_add(1, [[0, 2, 2], [1, 1, 0]], &x[1])),
        row("index", &[&[&[4, 3]], &[&[3]]], |x| x[0].index(&[[2, 0, 2].into()])),
        row("index", &[&[&[3, 3]], &[&[3, 3, 2]]], |x| x[0].index(&[[[0], [2]].into(), [1, 1, 0].into()])),
        row("index", &[&[&[3, 2]], &[&[0, 2]]], |x| x[0].index(&[])),
        row("embedding", &[&[&[4, 3]], &[&[4]], &[&[4, 2, 2]]], |x| x[0].embedding([[0, 3, 3], [1, 0, 0]], None)),
        row("embedding", &[&[&[4, 3]]], |x| x[0].embedding(2, None)),
        // Of the padding row, which is read, there is no derivative; so it is another one here.
        row("embedding", &[&[&[4, 3]]], |x| x[0].embedding([0, 3, 3], Some(1))),
    ]
}

/// Matrices with a diagonal.
pub fn matrices() -> Vec<Row> {
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

/// Operations of any number of inputs.
pub fn joins() -> Vec<Row> {
    let concat: [&[&[usize]]; 3] = [&[&[2, 3], &[2, 1], &[2, 2]], &[&[3], &[0], &[2]], &[&[2, 2, 2], &[2, 2, 1]]];
    let stack: [&[&[usize]]; 3] = [&[&[], &[]], &[&[3], &[3], &[3]], &[&[2, 3]]];
    vec![
        row("concat", &concat, |x| Var::concat(x, -1)),
        row("concat", &[&[&[2, 3, 2], &[1, 3, 2]]], |x| Var::concat(&[&x[1], &x[0], &x[1]], 0)),
        row("stack", &stack, |x| Var::stack(x, -1)),
        row("stack", &[&[&[2, 3], &[2, 3]]], |x| Var::stack(&[&x[0], &x[1], &x[0]], 1)),
    ]
}

/// Running results along an axis.
pub fn scans() -> Vec<Row> {
    let shapes: &[&[&[usize]]] = &[&[&[]], &[&[1]], &[&[4]], &[&[3, 2]], &[&[0]], &[&[0, 2]]];
    let inside: &[&[&[usize]]] = &[&[&[2, 3, 2]], &[&[2, 0, 2]]];
    vec![
        row("cumsum", shapes, |x| x[0].cumsum(0)),
        row("cumsum", inside, |x| x[0].cumsum(-2)),
        row("cumprod", shapes, |x| x[0].cumprod(0)),
        row("cumprod", inside, |x| x[0].cumprod(1)),
        row("cumprod", &[&[&[5]]], |x| (&x[0] * tensor![f64; 1.0, 0.0, 1.0, 0.0, 1.0]).cumprod(0)),
        row("logcumsumexp", shapes, |x| x[0].logcumsumexp(0)),
        row("logcumsumexp", inside, |x| x[0].logcumsumexp(-2)),
    ]
}
