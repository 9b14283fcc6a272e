//! Pairs of operations that are adjoint to each other: `⟨A x, y⟩ = ⟨x, B y⟩`, by their values alone.

use crate::draw::{Draw, resolve};
use wengert::ops::Conv;
use wengert::prelude::*;

/// Draws two operations and the shape that the first one takes.
type Pair = fn(&mut Draw) -> (Vec<usize>, Linear, Linear);

type Linear = Box<dyn Fn(&Var<f64>) -> Var<f64>>;

fn pair(
    shape: Vec<usize>,
    a: impl Fn(&Var<f64>) -> Var<f64> + 'static,
    b: impl Fn(&Var<f64>) -> Var<f64> + 'static,
) -> (Vec<usize>, Linear, Linear) {
    (shape, Box::new(a), Box::new(b))
}

const PAIRS: &[(&str, Pair)] = &[
    ("slice, pad", |draw| {
        let shape = draw.full_shape(1);
        let n = shape[shape.len() - 1];
        let (start, end) = (draw.size(0, n), draw.size(0, n));
        let (start, end) = (start.min(end), start.max(end));
        let slice = move |x: &Var<f64>| x.slice(-1, start as isize..end as isize);
        pair(shape, slice, move |y| y.pad(&[(start, n - end)], PadMode::Constant(0.0)))
    }),
    ("flip, flip", |draw| {
        let shape = draw.shape(0);
        let axes = draw.axes(&shape);
        let back = axes.clone();
        pair(shape, move |x| x.flip(axes.as_slice()), move |y| y.flip(back.as_slice()))
    }),
    ("roll, roll back", |draw| {
        let shape = draw.shape(1);
        let (axis, shift) = (draw.axis(&shape), draw.int(-7, 7));
        pair(shape, move |x| x.roll(shift, axis), move |y| y.roll(-shift, axis))
    }),
    ("cumsum, cumsum from the end", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        pair(shape, move |x| x.cumsum(axis), move |y| y.flip(axis).cumsum(axis).flip(axis))
    }),
    ("index_select, index_add onto zeros", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let positions = draw.positions(shape[resolve(axis, &shape)], 5);
        let (same, whole) = (positions.clone(), shape.clone());
        let zeros = move |y: &Var<f64>| y.constant(Tensor::zeros(whole.as_slice()));
        pair(shape, move |x| x.index_select(axis, &positions), move |y| zeros(y).index_add(axis, &same, y))
    }),
    ("gather, scatter_add onto zeros", |draw| {
        let shape = draw.full_shape(1);
        let axis = draw.axis(&shape);
        let own: Vec<usize> = shape.iter().map(|&n| draw.size(1, n)).collect();
        let indices = draw.indices(shape[resolve(axis, &shape)], &own);
        let (same, whole) = (indices.clone(), shape.clone());
        let zeros = move |y: &Var<f64>| y.constant(Tensor::zeros(whole.as_slice()));
        pair(shape, move |x| x.gather(axis, &indices), move |y| zeros(y).scatter_add(axis, &same, y))
    }),
    ("broadcast_to, sum", |draw| {
        let shape = draw.shape(0);
        let target: Vec<usize> = [draw.size(0, 3)].iter().chain(&shape).copied().collect();
        pair(shape, move |x| x.broadcast_to(target.as_slice()), |y| y.sum_over(0))
    }),
    ("repeat, sum of the copies", |draw| {
        let (shape, times) = (draw.shape(1), draw.size(0, 3));
        let n = shape[0] as isize;
        let repeats: Vec<usize> = shape.iter().enumerate().map(|(k, _)| if k == 0 { times } else { 1 }).collect();
        let apart: Vec<isize> = [times as isize, n].into_iter().chain(shape[1..].iter().map(|&n| n as isize)).collect();
        pair(shape, move |x| x.repeat(repeats.as_slice()), move |y| y.reshape(apart.as_slice()).sum_over(0))
    }),
    ("diagonal, diag_embed", |draw| {
        let (n, front, offset) = (draw.size(0, 4), draw.shape(0), draw.int(-2, 2));
        let side = n + offset.unsigned_abs();
        let shape = front[..front.len().min(2)].iter().copied().chain([side, side]).collect();
        pair(shape, move |x| x.diagonal(offset, -2, -1), move |y| y.diag_embed(offset))
    }),
    ("tril, tril", |draw| {
        let (shape, diagonal) = (draw.shape(2), draw.int(-3, 3));
        pair(shape, move |x| x.tril(diagonal), move |y| y.tril(diagonal))
    }),
    ("permute, its inverse", |draw| {
        let shape = draw.shape(1);
        let axes: Vec<usize> = (1..shape.len()).chain([0]).collect();
        let inverse: Vec<usize> = [shape.len() - 1].into_iter().chain(0..shape.len() - 1).collect();
        pair(shape, move |x| x.permute(axes.as_slice()), move |y| y.permute(inverse.as_slice()))
    }),
    ("concat, split", |draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        // The same value joined three times, and the sum of three pieces.
        let join = move |x: &Var<f64>| Var::concat(&[x, x, x], axis);
        let n = shape[resolve(axis, &shape)];
        let cut = move |y: &Var<f64>| {
            let pieces = y.split_with_sizes(&[n; 3], axis);
            &pieces[0] + &pieces[1] + &pieces[2]
        };
        pair(shape, join, cut)
    }),
    ("stack, select", |draw| {
        let shape = draw.shape(0);
        let axis = draw.size(0, shape.len());
        let stack = move |x: &Var<f64>| Var::stack(&[x, x], axis);
        pair(shape, stack, move |y| y.select(axis, 0) + y.select(axis, -1))
    }),
    ("conv2d, conv_transpose2d", |draw| {
        let (stride, padding) = (draw.size(1, 2), draw.size(0, 1));
        let weight = draw.normal(&[3, 2, 2, 3]);
        // A size of which the strides leave nothing over.
        let shape = vec![draw.size(1, 2), 2, 2 - 2 * padding + 2 * stride, 3 - 2 * padding + stride];
        let (same, options) = (weight.clone(), Conv::new().stride(stride).padding(padding));
        let convolve = move |x: &Var<f64>| x.conv2d(&weight, options);
        pair(shape, convolve, move |y| y.conv_transpose2d(&same, options))
    }),
];

#[test]
fn each_pair_is_adjoint() {
    for (name, draw_pair) in PAIRS {
        for seed in 0..100 {
            let mut draw = Draw::new(seed);
            let (shape, a, b) = draw_pair(&mut draw);
            let tape = Tape::<f64>::with_mode(Mode::Inference);
            let x = tape.constant(draw.normal(&shape));
            let ax = a(&x);
            let y = tape.constant(draw.normal(ax.shape()));
            let by = b(&y);
            assert_eq!(by.shape(), shape, "{name}, draw {seed}");
            let (left, right) = ((ax * &y).sum().item(), (&x * by).sum().item());
            let error = (left - right).abs();
            assert!(error <= 1e-12 * left.abs().max(1.0), "{name}, draw {seed}, {shape:?}: {left} and {right}");
        }
    }
}

/// What a rule gives is what the other operation computes, to the last bit.
#[test]
fn the_rule_of_each_is_the_other() {
    for (name, draw_pair) in PAIRS {
        for seed in 0..40 {
            let mut draw = Draw::new(seed);
            let (shape, a, b) = draw_pair(&mut draw);
            let tape = Tape::new_f64();
            let x = tape.var(draw.normal(&shape));
            let ax = a(&x);
            let y = tape.var(draw.normal(ax.shape()));
            for (flow, other) in [(ax.vjp(&y, &[&x]), b(&y)), (b(&y).vjp(&x, &[&y]), a(&x))] {
                let flow = flow[0].as_ref().expect("each depends on what it is given");
                let error = (flow.value() - other.value()).map(f64::abs).max().item();
                assert!(error <= 1e-14, "{name}, draw {seed}, {shape:?}: a difference of {error}");
            }
        }
    }
}
