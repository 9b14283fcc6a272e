//! A value and its pieces: nothing is lost, and nothing is counted twice.

use crate::draw::{Draw, resolve};
use wengert::prelude::*;

/// Runs a check on values of random shapes with an axis of each.
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
fn the_triangles_are_the_whole() {
    for seed in 0..100 {
        let mut draw = Draw::new(seed);
        let (shape, diagonal) = (draw.shape(2), draw.int(-4, 4));
        let x = draw.normal(&shape);
        assert_eq!(x.tril(diagonal) + x.triu(diagonal + 1), x);
    }
}

/// What a function of plain values gives is the value of the operation.
#[test]
fn functions_of_tensors_are_the_values_of_the_operations() {
    for_each(|x, axis, draw| {
        let (value, n) = (x.value(), x.shape()[resolve(axis, x.shape())]);
        let step = draw.int(1, 3) * if draw.coin() { 1 } else { -1 };
        assert_eq!(&value.slice_step(axis, 1.., step), x.slice_step(axis, 1.., step).value());
        assert_eq!(&value.flip(axis), x.flip(axis).value());
        assert_eq!(&value.roll(step, axis), x.roll(step, axis).value());
        assert_eq!(&value.repeat_interleave(2, axis), x.repeat_interleave(2, axis).value());
        assert_eq!(&value.cumsum(axis), x.cumsum(axis).value());
        assert_eq!(&value.cumprod(axis), x.cumprod(axis).value());
        assert_eq!(&value.pad(&[(1, 2)], PadMode::Constant(7.0)), x.pad(&[(1, 2)], PadMode::Constant(7.0)).value());
        let positions = draw.positions(n, 4);
        assert_eq!(&value.index_select(axis, &positions), x.index_select(axis, &positions).value());
        assert_eq!(&Tensor::stack(&[value, value], axis), Var::stack(&[x, x], axis).value());
        assert_eq!(&Tensor::concat(&[value, value], axis), Var::concat(&[x, x], axis).value());
        let values: Vec<_> = x.split(2, axis).iter().map(|piece| piece.value().clone()).collect();
        assert_eq!(value.split(2, axis), values);
    });
}
