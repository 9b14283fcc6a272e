//! Gathering and scattering by index.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::compare::gradient_and_hessian;
use crate::support::draw::{Draw, resolve};
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_linear};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let add: Shapes = &[&[&[4, 2], &[3, 2]], &[&[3], &[3]]];
    let scatter: Shapes = &[&[&[3, 4], &[2, 3]], &[&[3, 3], &[2, 3]]];
    vec![
        row("index_select", &[&[&[4, 2]], &[&[3]], &[&[3, 0]]], |x| x[0].index_select(0, &[2, 0, 2])),
        row("index_select", &[&[&[2, 4, 2]]], |x| x[0].index_select(-2, &[3, 3, 1])),
        row("index_select", &[&[&[2, 3]]], |x| x[0].index_select(1, &[])),
        row("index_add", add, |x| x[0].index_add(0, &[2, 0, 2], &x[1])),
        row("index_add", &[&[&[2, 2, 3], &[2, 2, 2]]], |x| x[0].index_add(-1, &[1, 1], &x[1])),
        row("gather", &[&[&[3, 4]], &[&[2, 3]]], |x| x[0].gather(1, [[0, 2, 2], [1, 1, 0]])),
        row("gather", &[&[&[3, 4]], &[&[2, 3]]], |x| x[0].gather(0, [[0, 1, 1]])),
        row("gather", &[&[&[2, 2, 2]]], |x| x[0].gather(1, Indices::new([0, 1, 1, 1], [2, 2, 1]))),
        row("scatter_add", scatter, |x| x[0].scatter_add(1, [[0, 2, 2], [1, 1, 0]], &x[1])),
        row("index", &[&[&[4, 3]], &[&[3]]], |x| x[0].index(&[[2, 0, 2].into()])),
        row("index", &[&[&[3, 3]], &[&[3, 3, 2]]], |x| x[0].index(&[[[0], [2]].into(), [1, 1, 0].into()])),
        row("index", &[&[&[3, 2]], &[&[0, 2]]], |x| x[0].index(&[])),
    ]
}

pub const PANICS: &[Panic] = &[
    ("selection_out_of_range", || _ = variable().index_select(1, &[0, 3])),
    ("wrong_shapes source_shape", || _ = variable().index_add(0, &[0, 1, 1], matrix())),
    ("wrong_shapes source_shape", || _ = variable().scatter_add(1, [[0, 1]], matrix())),
    ("index_shape", || _ = variable().gather(1, [[0], [1], [2]])),
    ("selection_out_of_range", || _ = variable().index(&[0.into(), [1, 3].into()])),
    ("indices_do_not_broadcast", || _ = variable().index(&[[0, 1].into(), [0, 1, 2].into()])),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("index_select", |draw| {
            let shape = draw.shape(1);
            let axis = draw.axis(&shape);
            let positions = draw.positions(shape[resolve(axis, &shape)], 5);
            case([shape], move |x| x[0].index_select(axis, &positions))
        }),
        ("index_add", |draw| {
            let shape = draw.shape(1);
            let axis = draw.axis(&shape);
            let at = resolve(axis, &shape);
            let positions = draw.positions(shape[at], 5);
            let mut source = shape.clone();
            source[at] = positions.len();
            case([shape, source], move |x| x[0].index_add(axis, &positions, &x[1]))
        }),
        ("gather", |draw| {
            let (shape, axis, own) = elements(draw);
            let indices = draw.indices(shape[resolve(axis, &shape)], &own);
            case([shape], move |x| x[0].gather(axis, &indices))
        }),
        ("scatter_add", |draw| {
            let (shape, axis, own) = elements(draw);
            let indices = draw.indices(shape[resolve(axis, &shape)], &own);
            case([shape, own], move |x| x[0].scatter_add(axis, &indices, &x[1]))
        }),
        ("index", |draw| {
            let shape = draw.full_shape(1);
            let leading = draw.size(1, shape.len().min(2));
            let own: [&[usize]; 2] = [&[2, 1], &[3]];
            let arrays: Vec<_> = (0..leading).map(|axis| draw.indices(shape[axis], own[axis])).collect();
            case([shape], move |x| x[0].index(&arrays))
        }),
    ]);
}

/// A shape, one of its axes, and the shape of indices along it.
fn elements(draw: &mut Draw) -> (Vec<usize>, isize, Vec<usize>) {
    let shape = draw.full_shape(1);
    let axis = draw.axis(&shape);
    let mut own: Vec<usize> = shape.iter().map(|&n| draw.size(1, n)).collect();
    own[resolve(axis, &shape)] = draw.size(0, 5);
    (shape, axis, own)
}

#[test]
fn index_select_is_adjoint_to_index_add() {
    check_adjoint(|draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        let positions = draw.positions(shape[resolve(axis, &shape)], 5);
        let (same, whole) = (positions.clone(), shape.clone());
        let zeros = move |y: &Var<f64>| y.constant(Tensor::zeros(whole.as_slice()));
        pair(shape, move |x| x.index_select(axis, &positions), move |y| zeros(y).index_add(axis, &same, y))
    });
}

#[test]
fn gather_is_adjoint_to_scatter_add() {
    check_adjoint(|draw| {
        let shape = draw.full_shape(1);
        let axis = draw.axis(&shape);
        let own: Vec<usize> = shape.iter().map(|&n| draw.size(1, n)).collect();
        let indices = draw.indices(shape[resolve(axis, &shape)], &own);
        let (same, whole) = (indices.clone(), shape.clone());
        let zeros = move |y: &Var<f64>| y.constant(Tensor::zeros(whole.as_slice()));
        pair(shape, move |x| x.gather(axis, &indices), move |y| zeros(y).scatter_add(axis, &same, y))
    });
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn repeated_indices_add_up_at_every_order() {
    let x = tensor![f64; 1.0, 2.0, 3.0];
    let expected = [tensor![f64; 4.0, 0.0, 6.0], tensor![f64; 4.0, 0.0, 2.0]];
    assert_eq!(gradient_and_hessian(|x| x.index_select(0, &[0, 2, 0]), &x), expected);
    assert_eq!(gradient_and_hessian(|x| x.gather(0, [0, 2, 0]), &x), expected);
    assert_eq!(gradient_and_hessian(|x| x.index(&[[0, 2, 0].into()]), &x), expected);
    assert_eq!(gradient_and_hessian(|x| x.embedding([0, 2, 0], None), &x), expected);
}

#[test]
fn a_source_is_added_once_for_each_of_its_elements() {
    let tape = Tape::new_f64();
    let (x, source) = (tape.var([1.0, 1.0]), tape.var([10.0, 20.0, 30.0]));
    let y = x.scatter_add(0, [1, 1, 0], &source);
    assert_eq!(y.value(), &tensor![f64; 31.0, 31.0]);
    let gradients = (y * tensor![f64; 1.0, 2.0]).sum().backward();
    assert_eq!(gradients[&x], tensor![f64; 1.0, 2.0]);
    assert_eq!(gradients[&source], tensor![f64; 2.0, 2.0, 1.0]);
}

#[test]
fn many_elements_at_one_position_add_up_exactly() {
    let source: Tensor = Tensor::full([2, 3000, 2], 0.1);
    let indices = Indices::new((0..12_000).map(|k| k / 2 % 3).collect::<Vec<_>>(), [2, 3000, 2]);
    let x = Tape::new().var(Tensor::<f32>::zeros([2, 3, 2]));
    let y = x.scatter_add(1, indices.clone(), &source);
    assert!(y.value().iter().all(|y| (y / 100.0 - 1.0).abs() < 1e-7), "{}", y.value());
    let gx = (x.gather(1, indices) * &source).sum().grad(&x);
    assert_eq!(gx.value(), y.value());
}

#[test]
fn indices_may_cover_a_part_of_the_other_axes() {
    let x = Tape::new_f64().var(Tensor::<f64>::randn([3, 4, 5], &mut wengert::rng(0)));
    let y = x.gather(1, Indices::new(vec![3, 0, 1, 2], [2, 1, 2]));
    let at = |i: usize, j: usize, k: usize| x.value()[[i, j, k]];
    assert_eq!(y.value().to_vec(), [at(0, 3, 0), at(0, 0, 1), at(1, 1, 0), at(1, 2, 1)]);
    assert_eq!(y.sum().grad(&x).value()[[1, 2, 1]], 1.0);
    assert_eq!(y.sum().grad(&x).value().sum().item(), 4.0);
}

#[test]
fn indices_of_an_axis_of_size_one_and_the_next_are_listed() {
    let x = Tape::new().var(Tensor::<f32>::zeros([1, 3, 4]));
    let y = x.index(&[[0, 0].into(), [1, 2].into()]);
    assert_eq!(y.shape(), [2, 4]);
    assert!(x.tape().to_string().contains("rows: 2 of 3"), "{}", x.tape());
}
