//! Operations that move elements without changing them.

mod concat;
mod diagonal;
mod embedding;
mod gather;
mod layout;
mod slice;
mod sort;

use crate::support::draw::{Draw, resolve};
use crate::support::gradients::Row;
use crate::support::panics::Panic;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let joined = [concat::rows(), diagonal::rows(), embedding::rows(), gather::rows()];
    joined.into_iter().chain([layout::rows(), slice::rows(), sort::rows()]).flatten().collect()
}

pub fn panics() -> Vec<Panic> {
    [concat::PANICS, diagonal::PANICS, embedding::PANICS, gather::PANICS, layout::PANICS, slice::PANICS, sort::PANICS]
        .concat()
}

/// Runs a check on random values of random shapes, each with one of its axes.
fn for_each(check: impl Fn(&Var<f64>, isize, &mut Draw)) {
    for seed in 0..200 {
        let mut draw = Draw::new(seed);
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let x = Tape::new_f64().var(draw.normal(&shape));
        check(&x, axis, &mut draw);
    }
}

/// Pieces of an axis, cut in one of three ways.
fn cut(x: &Var<f64>, axis: isize, draw: &mut Draw) -> Vec<Var<f64>> {
    match draw.size(0, 2) {
        0 => x.split(draw.size(1, 3), axis),
        1 => x.chunk(draw.size(1, 5), axis),
        _ => {
            let n = x.shape()[resolve(axis, x.shape())];
            let first = draw.size(0, n);
            x.split_with_sizes(&[first, 0, n - first], axis)
        }
    }
}

#[test]
fn pieces_joined_are_the_whole() {
    for_each(|x, axis, draw| assert_eq!(Var::concat(&cut(x, axis, draw), axis).value(), x.value()));
}

#[test]
fn the_sum_of_a_split_is_the_sum_of_the_whole_and_so_is_its_gradient() {
    for_each(|x, axis, draw| {
        let sums: Vec<_> = cut(x, axis, draw).iter().map(Var::sum).collect();
        let total = Var::stack(&sums, 0).sum();
        assert!((total.item() - x.sum().item()).abs() < 1e-12);
        assert_eq!(total.grad(x).value(), &Tensor::ones(x.shape()));
    });
}

#[test]
fn the_gradient_of_a_function_of_the_pieces_is_that_of_the_whole() {
    for_each(|x, axis, draw| {
        let squares: Vec<_> = cut(x, axis, draw).iter().map(|piece| piece.powi(3).sum()).collect();
        let total = Var::stack(&squares, 0).sum();
        assert_eq!(total.grad(x).value(), x.powi(3).sum().grad(x).value());
    });
}

#[test]
fn positions_stacked_are_the_whole() {
    for_each(|x, axis, _| {
        let n = x.shape()[resolve(axis, x.shape())];
        let parts: Vec<_> = (0..n).map(|k| x.select(axis, k)).collect();
        if n > 0 {
            assert_eq!(Var::stack(&parts, resolve(axis, x.shape()) as isize).value(), x.value());
        }
    });
}

#[test]
fn an_empty_axis_goes_through_every_operation() {
    let tape = Tape::new_f64();
    let x = tape.var(Tensor::zeros([0, 2]));
    let results = [
        x.slice_step(0, .., -1),
        x.flip([0, 1]),
        x.roll(3, 0),
        x.repeat([2, 1]),
        x.repeat_interleave(3, 0),
        x.index_select(0, &[]),
        x.gather(0, Indices::new([], [0, 1])),
        x.scatter_add(0, Indices::new([], [0, 2]), &x),
        x.tril(0),
        x.cumsum(0),
        x.cumprod(0),
        x.logcumsumexp(0),
        x.sort(0, true).0,
        x.topk(0, 0).0,
        x.split(2, 0).swap_remove(0),
        Var::concat(&[&x, &x], 0),
        Var::stack(&[&x, &x], 0),
        x.pad(&[(1, 1)], PadMode::Replicate),
        x.diagonal(0, 0, 1),
    ];
    for y in results {
        assert!(y.value().is_empty(), "{:?}", y.shape());
        assert_eq!(y.sum().grad(&x).shape(), [0, 2]);
    }
    assert_eq!(x.pad(&[(0, 0), (1, 0)], PadMode::Constant(3.0)).value(), &tensor![f64; [3.0, 3.0]]);
    assert_eq!(Var::concat(&[&x, &tape.var([[1.0, 2.0]])], 0).value(), &tensor![f64; [1.0, 2.0]]);
}

#[test]
fn a_scalar_goes_through_what_needs_no_axis() {
    let tape = Tape::new_f64();
    let x = tape.var(3.0);
    let results = [
        x.flip([] as [i32; 0]),
        x.repeat(()),
        x.pad(&[], PadMode::Circular),
        x.cumsum(0),
        x.cumprod(-1),
        x.logcumsumexp(0),
        x.index(&[]),
        Var::stack(&[&x], 0).select(0, 0),
    ];
    for y in results {
        assert_eq!((y.shape(), y.item()), (&[] as &[usize], 3.0));
        assert_eq!(y.square().grad(&x).item(), 6.0);
    }
    assert_eq!(x.repeat([2]).square().sum().grad(&x).item(), 12.0);
}

/// Checks that a function of plain tensors gives the value of the operation.
#[test]
fn functions_of_tensors_are_the_values_of_the_operations() {
    for_each(|x, axis, draw| {
        let (value, n) = (x.value(), x.shape()[resolve(axis, x.shape())]);
        let step = draw.int(1, 3) * if draw.coin() { 1 } else { -1 };
        assert_eq!(&value.slice_step(axis, 1.., step), x.slice_step(axis, 1.., step).value());
        assert_eq!(&value.flip(axis), x.flip(axis).value());
        assert_eq!(&value.roll(step, axis), x.roll(step, axis).value());
        assert_eq!(&value.repeat_interleave(2, axis), x.repeat_interleave(2, axis).value());
        assert_eq!(&value.sort(axis, false).0, x.sort(axis, false).0.value());
        assert_eq!(&value.topk(n.min(2), axis).0, x.topk(n.min(2), axis).0.value());
        assert_eq!(&value.cumsum(axis), x.cumsum(axis).value());
        assert_eq!(&value.cumprod(axis), x.cumprod(axis).value());
        assert_eq!(&value.pad(&[(1, 2)], PadMode::Constant(7.0)), x.pad(&[(1, 2)], PadMode::Constant(7.0)).value());
        if !value.is_empty() {
            assert_eq!(&value.pad(&[(1, 2)], PadMode::Replicate), x.pad(&[(1, 2)], PadMode::Replicate).value());
        }
        let positions = draw.positions(n, 4);
        assert_eq!(&value.index_select(axis, &positions), x.index_select(axis, &positions).value());
        assert_eq!(&Tensor::stack(&[value, value], axis), Var::stack(&[x, x], axis).value());
        assert_eq!(&Tensor::concat(&[value, value], axis), Var::concat(&[x, x], axis).value());
        let values: Vec<_> = x.split(2, axis).iter().map(|piece| piece.value().clone()).collect();
        assert_eq!(value.split(2, axis), values);
    });
}
