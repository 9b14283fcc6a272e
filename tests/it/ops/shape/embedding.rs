//! Embedding lookups.

use crate::support::compare::{assert_close, gradient_and_hessian};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_linear};
use crate::support::samples::variable;
use wengert::ops::Bag;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("embedding", &[&[&[4, 3]], &[&[4]], &[&[4, 2, 2]]], |x| x[0].embedding([[0, 3, 3], [1, 0, 0]], None)),
        row("embedding", &[&[&[4, 3]]], |x| x[0].embedding(2, None)),
        // The padding row has no derivative, so here it is a row that is not read.
        row("embedding", &[&[&[4, 3]]], |x| x[0].embedding([0, 3, 3], Some(1))),
        row("embedding_bag", &[&[&[5, 3]], &[&[5]], &[&[5, 2, 2]]], |x| x[0].embedding_bag(&BAGS, Bag::Sum)),
        row("embedding_bag", &[&[&[5, 3]], &[&[5]], &[&[5, 2, 2]]], |x| x[0].embedding_bag(&BAGS, Bag::Mean)),
        row("embedding_bag", &[&[&[5, 3]], &[&[5]], &[&[5, 2, 2]]], |x| x[0].embedding_bag(&BAGS, Bag::Max)),
    ]
}

const BAGS: [&[usize]; 4] = [&[0, 3, 3], &[], &[1], &[4, 0]];

pub const PANICS: &[Panic] = &[
    ("selection_out_of_range", || _ = variable().embedding([0, 2], None)),
    ("selection_out_of_range", || _ = variable().embedding([0, 1], Some(2))),
    ("axis_out_of_range", || _ = variable().sum().embedding([0, 1], None)),
    ("selection_out_of_range", || _ = variable().embedding_bag(&[vec![0], vec![2]], Bag::Sum)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[("embedding", |draw| {
        let shape = draw.full_shape(1);
        let indices = draw.indices(shape[0], &[2, 3]);
        case([shape], move |x| x[0].embedding(&indices, None))
    })]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn bags_are_reduced_lookups() {
    let table = Param::<f64>::new(Tensor::randn([5, 3], &mut wengert::rng(0)));
    let reduce = |bag: Bag, x: Var<f64>| match bag {
        Bag::Sum => x.sum_over(0),
        Bag::Mean => x.mean_over(0),
        Bag::Max => x.max_over(0),
    };
    for bag in [Bag::Sum, Bag::Mean, Bag::Max] {
        let tape = Tape::new_f64();
        let y = tape.param(&table).embedding_bag(&BAGS, bag);
        let rows = BAGS.map(|indices| match indices.len() {
            0 => tape.constant(Tensor::zeros([3])),
            _ => reduce(bag, tape.param(&table).embedding(indices, None)),
        });
        let expected = Var::stack(&rows, 0);
        assert_close(y.value(), expected.value());
        let (gradients, expected) = (y.square().sum().backward(), expected.square().sum().gradients());
        assert_close(&gradients[&table], &expected[&table]);
        assert_eq!(gradients.rows(&table).unwrap().indices(), [0, 1, 3, 4]);
    }
}

#[test]
fn the_padding_row_gets_no_gradient_at_any_order() {
    let table = tensor![f64; [1.0], [2.0], [3.0]];
    let [first, second] = gradient_and_hessian(|x| x.embedding([0, 1, 1], Some(1)), &table);
    assert_eq!(first, tensor![f64; [2.0], [0.0], [0.0]]);
    assert_eq!(second, tensor![f64; [2.0], [0.0], [0.0]]);
}
