//! Slices and padding.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::draw::resolve;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_linear};
use crate::support::samples::variable;
use std::ops::Bound;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let pad = |mode: PadMode| row("pad", &[&[&[2, 3]], &[&[2, 2, 4]]], move |x| x[0].pad(&[(2, 1), (0, 1)], mode));
    vec![
        row("slice", &[&[&[4, 3]], &[&[5]], &[&[0, 2]]], |x| x[0].slice(0, -3..-1)),
        row("slice_step", &[&[&[2, 5]], &[&[6]]], |x| x[0].slice_step(-1, 1.., 2)),
        row("slice_step", &[&[&[2, 5]], &[&[6]]], |x| x[0].slice_step(-1, .., -2)),
        row("select", &[&[&[4, 3]], &[&[3]]], |x| x[0].select(0, -2)),
        row("select", &[&[&[2, 3, 2]]], |x| x[0].select(-2, 1)),
        row("split", &[&[&[5, 2]], &[&[4]]], |x| x[0].split(2, 0).pop().unwrap()),
        row("split_with_sizes", &[&[&[2, 5]]], |x| x[0].split_with_sizes(&[1, 3, 1], -1).swap_remove(1)),
        row("chunk", &[&[&[7]], &[&[5, 2]]], |x| x[0].chunk(3, 0).pop().unwrap()),
        row("flip", &[&[&[2, 3]], &[&[2, 3, 2]], &[&[2, 0]]], |x| x[0].flip([0, -1])),
        row("pad", &[&[&[3]], &[&[]], &[&[0, 2]]], |x| x[0].pad(&[], PadMode::Reflect)),
        pad(PadMode::Constant(0.0)),
        pad(PadMode::Constant(2.5)),
        pad(PadMode::Reflect),
        pad(PadMode::Replicate),
        pad(PadMode::Circular),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().slice(2, ..)),
    ("slice_step", || _ = variable().slice_step(0, .., 0)),
    ("selection_out_of_range", || _ = variable().select(0, -3)),
    ("pad_count", || _ = variable().pad(&[(1, 1); 3], PadMode::Constant(0.0))),
    ("pad_size", || _ = variable().pad(&[(0, 4)], PadMode::Circular)),
    ("piece_size", || _ = variable().split(0, 1)),
    ("piece_sizes", || _ = variable().split_with_sizes(&[2, 2], -1)),
    ("chunk_count", || _ = variable().chunk(0, 0)),
    ("axis_out_of_range", || _ = variable().flip([0, 2])),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("slice_step", |draw| {
            let shape = draw.shape(1);
            let axis = draw.axis(&shape);
            let (a, b, step) = (draw.int(-5, 5), draw.int(-5, 5), draw.int(1, 3) * if draw.coin() { 1 } else { -1 });
            case([shape], move |x| x[0].slice_step(axis, a..b, step))
        }),
        ("select", |draw| {
            let shape = draw.full_shape(1);
            let axis = draw.axis(&shape);
            let n = shape[resolve(axis, &shape)] as isize;
            let index = draw.int(-n, n - 1);
            case([shape], move |x| x[0].select(axis, index))
        }),
        ("flip", |draw| {
            let shape = draw.shape(0);
            let axes = draw.axes(&shape);
            case([shape], move |x| x[0].flip(axes.as_slice()))
        }),
        ("pad", |draw| {
            let shape = draw.full_shape(1);
            let pairs: Vec<_> = shape.iter().rev().take(2).map(|_| (draw.size(0, 2), draw.size(0, 2))).collect();
            case([shape], move |x| x[0].pad(&pairs, PadMode::Constant(0.0)))
        }),
        ("pad, repeating elements", |draw| {
            let shape = draw.full_shape(1);
            let mode = [PadMode::Reflect, PadMode::Replicate, PadMode::Circular][draw.size(0, 2)];
            let most = |n: usize| if mode == PadMode::Reflect { n - 1 } else { n };
            let pairs: Vec<_> = shape.iter().rev().map(|&n| (draw.size(0, most(n)), draw.size(0, most(n)))).collect();
            case([shape], move |x| x[0].pad(&pairs, mode))
        }),
    ]);
}

#[test]
fn slice_is_adjoint_to_pad() {
    check_adjoint(|draw| {
        let shape = draw.full_shape(1);
        let n = shape[shape.len() - 1];
        let (start, end) = (draw.size(0, n), draw.size(0, n));
        let (start, end) = (start.min(end), start.max(end));
        let slice = move |x: &Var<f64>| x.slice(-1, start as isize..end as isize);
        pair(shape, slice, move |y| y.pad(&[(start, n - end)], PadMode::Constant(0.0)))
    });
}

#[test]
fn flip_is_adjoint_to_itself() {
    check_adjoint(|draw| {
        let shape = draw.shape(0);
        let axes = draw.axes(&shape);
        let back = axes.clone();
        pair(shape, move |x| x.flip(axes.as_slice()), move |y| y.flip(back.as_slice()))
    });
}

#[test]
fn gradients_of_parts_are_those_of_a_recorded_pass() {
    let x = Tensor::<f64>::uniform([4, 6, 5], -1.0, 1.0, &mut wengert::rng(1));
    let tape = Tape::new_f64();
    let x = tape.var(x);
    // Parts that overlap, that are not contiguous and that run backwards, beside uses of the whole.
    let parts =
        [x.slice(0, 1..3), x.slice(2, ..2), x.slice_step(1, .., -2), x.select(1, 3), x.flip([0, 2]), x.slice(0, 2..2)];
    let squares = |x: &Var<f64>| x.powi(3).sum();
    let loss = parts.iter().map(squares).sum::<Var<f64>>() + squares(&x) + x.slice(0, 0..1).sum();
    let recorded = loss.grad(&x);
    let gradients = loss.backward();
    let difference = (&gradients[&x] - recorded.value()).map(f64::abs).max().item();
    assert!(difference < 1e-15, "{difference}");
}

#[test]
fn a_part_is_not_added_to_the_gradient_of_another_variable() {
    let tape = Tape::new();
    let [x, y] = [[1.0, 2.0], [3.0, 4.0]].map(|values| tape.var(values));
    // The gradients of both terms of a sum are one tensor.
    let part = x.slice(0, 1..).sum();
    let gradients = ((&x + &y).sum() + part).backward();
    assert_eq!(gradients[&x], tensor![1.0, 2.0]);
    assert_eq!(gradients[&y], tensor![1.0, 1.0]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn the_last_piece_of_a_split_is_shorter_and_has_its_own_gradient() {
    let tape = Tape::new_f64();
    let x = tape.var([1.0, 2.0, 3.0, 4.0, 5.0]);
    let pieces = x.split(2, 0);
    assert_eq!(pieces.iter().map(|piece| piece.shape()[0]).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(pieces[2].square().sum().grad(&x).value(), &tensor![f64; 0.0, 0.0, 0.0, 0.0, 10.0]);
}

#[test]
fn a_chunk_of_more_pieces_than_elements_gives_what_there_is() {
    let x = Tape::new_f64().var([1.0, 2.0, 3.0]);
    assert_eq!(x.chunk(5, 0).len(), 3);
    let sizes: Vec<_> = x.slice(0, ..0).chunk(2, 0).iter().map(|piece| piece.shape()[0]).collect();
    assert_eq!(sizes, [0, 0]);
}

#[test]
fn a_negative_step_starts_at_the_end_of_the_range() {
    let tape = Tape::new_f64();
    let x = tape.var([0.0, 1.0, 2.0, 3.0, 4.0]);
    let y = x.slice_step(0, 1..5, -2);
    assert_eq!(y.value(), &tensor![f64; 4.0, 2.0]);
    let weights = tensor![f64; 10.0, 20.0];
    assert_eq!((y * weights).sum().grad(&x).value(), &tensor![f64; 0.0, 0.0, 20.0, 0.0, 10.0]);
}

#[test]
fn bounds_before_the_start_are_clipped_to_it_whether_inclusive_or_not() {
    let x = tensor![0.0, 1.0, 2.0];
    assert_eq!(x.slice(0, ..=-4), x.slice(0, ..-3));
    assert_eq!(x.slice(0, ..=-4).shape(), [0]);
    assert_eq!(x.slice(0, ..=isize::MIN).shape(), [0]);
    assert_eq!(x.slice(0, (Bound::Excluded(-5), Bound::Unbounded)), x);
    assert_eq!(x.slice(0, (Bound::Excluded(-4), Bound::Unbounded)), x);
    assert_eq!(x.slice(0, (Bound::Excluded(-3), Bound::Included(-1))), tensor![1.0, 2.0]);
    assert_eq!(x.slice(0, ..=isize::MAX), x);
}
