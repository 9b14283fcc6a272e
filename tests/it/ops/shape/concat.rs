//! Concatenation and stacking.

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::draw::resolve;
use crate::support::gradients::{Row, Shapes, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_linear};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let concat: Shapes = &[&[&[2, 3], &[2, 1], &[2, 2]], &[&[3], &[0], &[2]], &[&[2, 2, 2], &[2, 2, 1]]];
    let stack: Shapes = &[&[&[], &[]], &[&[3], &[3], &[3]], &[&[2, 3]]];
    vec![
        row("concat", concat, |x| Var::concat(x, -1)),
        row("concat", &[&[&[2, 3, 2], &[1, 3, 2]]], |x| Var::concat(&[&x[1], &x[0], &x[1]], 0)),
        row("stack", stack, |x| Var::stack(x, -1)),
        row("stack", &[&[&[2, 3], &[2, 3]]], |x| Var::stack(&[&x[0], &x[1], &x[0]], 1)),
    ]
}

pub const PANICS: &[Panic] = &[
    ("nothing_to_join", || _ = Var::<f32>::concat(&[] as &[Var], 0)),
    ("nothing_to_join", || _ = Var::<f32>::stack(&[] as &[Var], 0)),
    ("axis_out_of_range", || _ = Var::concat(&[variable()], 2)),
    ("new_axis_out_of_range", || _ = Var::stack(&[variable()], -4)),
    ("wrong_shapes do_not_join", || {
        let x = variable();
        _ = Var::concat(&[&x, &x.exp(), &x.transpose(0, 1)], 1);
    }),
    ("wrong_shapes ranks_differ", || {
        let x = variable();
        _ = Var::concat(&[&x, &x.sum_over(0)], 0);
    }),
    ("wrong_shapes do_not_stack", || {
        let x = variable();
        _ = Var::stack(&[&x, &x.transpose(0, 1)], 0);
    }),
    ("two_tapes", || _ = Var::concat(&[variable(), variable()], 0)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[
        ("concat", |draw| {
            let shape = draw.shape(1);
            let axis = draw.axis(&shape);
            let at = resolve(axis, &shape);
            let mut piece = || {
                let mut piece = shape.clone();
                piece[at] = draw.size(0, 3);
                piece
            };
            let pieces: Vec<_> = (0..3).map(|_| piece()).collect();
            case(pieces, move |x| Var::concat(x, axis))
        }),
        ("stack", |draw| {
            let shape = draw.shape(0);
            let axis = draw.int(0, shape.len() as isize);
            case(vec![shape; draw.size(1, 3)], move |x| Var::stack(x, axis))
        }),
    ]);
}

#[test]
fn concat_is_adjoint_to_split() {
    check_adjoint(|draw| {
        let shape = draw.shape(1);
        let axis = draw.axis(&shape);
        // The same value concatenated three times, and the sum of three pieces.
        let join = move |x: &Var<f64>| Var::concat(&[x, x, x], axis);
        let n = shape[resolve(axis, &shape)];
        let cut = move |y: &Var<f64>| {
            let pieces = y.split_with_sizes(&[n; 3], axis);
            &pieces[0] + &pieces[1] + &pieces[2]
        };
        pair(shape, join, cut)
    });
}

#[test]
fn stack_is_adjoint_to_select() {
    check_adjoint(|draw| {
        let shape = draw.shape(0);
        let axis = draw.size(0, shape.len());
        let stack = move |x: &Var<f64>| Var::stack(&[x, x], axis);
        pair(shape, stack, move |y| y.select(axis, 0) + y.select(axis, -1))
    });
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn one_variable_joined_with_itself_gets_both_gradients() {
    let tape = Tape::new_f64();
    let x = tape.var([1.0, 2.0]);
    let weights = tensor![f64; 1.0, 2.0, 30.0, 40.0];
    let joined = Var::concat(&[&x, &x], 0);
    assert_eq!((&joined * &weights).sum().grad(&x).value(), &tensor![f64; 31.0, 42.0]);
    assert_eq!(joined.powi(3).sum().grad(&x).sum().grad(&x).value(), &tensor![f64; 12.0, 24.0]);
    let stacked = Var::stack(&[&x, &tape.constant([7.0, 7.0]), &x], 0);
    assert_eq!(stacked.square().sum().backward()[&x], tensor![f64; 4.0, 8.0]);
}

#[test]
fn a_join_of_many_values_is_one_operation() {
    let tape = Tape::new_f64();
    let values: Vec<_> = (0..100).map(|k| tape.var(f64::from(k))).collect();
    let before = tape.len();
    let y = Var::stack(&values, 0);
    assert_eq!(tape.len() - before, 1);
    let gradients = y.square().sum().backward();
    assert!(values.iter().enumerate().all(|(k, x)| gradients[x].item() == 2.0 * k as f64));
}

#[test]
fn only_what_is_differentiated_is_sliced_out_of_a_join() {
    let tape = Tape::new_f64();
    let (x, constant) = (tape.var([1.0]), tape.constant([2.0, 3.0]));
    let gradients = Var::concat(&[&constant, &x, &constant], 0).square().sum().backward();
    assert_eq!((gradients.len(), gradients[&x].item()), (1, 2.0));
}
