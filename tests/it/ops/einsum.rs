//! Einstein summation compared with its definition, a loop over all subscripts.

use crate::support::compare::assert_close;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::{matrix, variable};
use std::collections::BTreeMap;
use wengert::prelude::*;
use wengert::rand::RngExt;

/// Equations that cover every lowering.
pub fn rows() -> Vec<Row> {
    vec![
        equation("ij,jk->ik", &[&[2, 3], &[3, 2]]),
        equation("ij,jk", &[&[2, 3], &[3, 2]]),
        equation("bij,bkj->bki", &[&[2, 2, 3], &[2, 2, 3]]),
        equation("ijb,jkb->bik", &[&[2, 3, 2], &[3, 2, 2]]),
        equation("bij,jk->bik", &[&[2, 2, 3], &[3, 2]]),
        equation("bi,bi->b", &[&[2, 3], &[2, 3]]),
        equation("ij,ij->", &[&[2, 3], &[2, 3]]),
        equation("ij,ij->ji", &[&[2, 3], &[2, 3]]),
        equation("i,j->ij", &[&[2], &[3]]),
        equation("ij->ji", &[&[2, 3]]),
        equation("ijk->k", &[&[2, 2, 3]]),
        equation("ii->i", &[&[3, 3]]),
        equation("ii", &[&[3, 3]]),
        equation("iji,i->j", &[&[2, 3, 2], &[2]]),
        equation("iii->i", &[&[2, 2, 2]]),
        equation(",ij->ij", &[&[], &[2, 2]]),
        equation("ik,jl->ij", &[&[2, 2], &[2, 3]]),
        equation("...ij,...jk->...ik", &[&[2, 1, 2, 3], &[3, 3, 1]]),
        equation("...i,i...->...", &[&[2, 3], &[3, 2]]),
        equation("i...,i->", &[&[2, 3], &[2]]),
        equation("ij,jk->ik", &[&[2, 1], &[3, 2]]),
        equation("ij,jk,kl->il", &[&[2, 3], &[3, 2], &[2, 2]]),
        equation("ij,ij,ij->j", &[&[2, 2], &[2, 2], &[2, 2]]),
        equation("ab,bc,cd,da", &[&[2, 2], &[2, 1], &[1, 2], &[2, 2]]),
        equation("i,ij,j->", &[&[0], &[0, 2], &[2]]),
        row("einsum", &[&[&[2, 2]]], |x| einsum("ij,jk,ki->i", &[&x[0], &x[0], &x[0]])),
    ]
}

/// A gradient row for an equation and operands of the given shapes.
fn equation(text: &'static str, shapes: &[&[usize]]) -> Row {
    row("einsum", &[shapes], move |x| einsum(text, &x.iter().collect::<Vec<_>>()))
}

pub const PANICS: &[Panic] = &[
    ("einsum_character", || _ = einsum("ij,j1->i", &[&matrix(), &matrix()])),
    ("einsum_character", || _ = einsum("ij;jk->ik", &[&matrix(), &matrix()])),
    ("einsum_dots", || _ = einsum("..ij->ij", &[&matrix()])),
    ("einsum_second_ellipsis", || _ = einsum("...i...->i", &[&matrix()])),
    ("einsum_half_arrow", || _ = einsum("ij-ji", &[&matrix()])),
    ("einsum_half_arrow", || _ = einsum("ij>ji", &[&matrix()])),
    ("einsum_second_arrow", || _ = einsum("ij->ji->ij", &[&matrix()])),
    ("einsum_second_output", || _ = einsum("ij->i,j", &[&matrix()])),
    ("einsum_operands", || _ = einsum("ij,jk->ik", &[&matrix()])),
    ("einsum_operands", || _ = einsum("ij->ij", &[&variable(), &variable()])),
    ("einsum_operands", || _ = einsum::<Tensor>("", &[])),
    ("einsum_rank", || _ = einsum("ijk->i", &[&variable()])),
    ("einsum_too_many", || _ = einsum("...ijk->i", &[&variable()])),
    ("einsum_sizes", || _ = einsum("ij,jk->ik", &[&variable(), &variable()])),
    ("einsum_sizes", || _ = einsum("ii->i", &[&variable()])),
    ("einsum_sizes", || _ = einsum("...,...", &[&matrix(), &Tensor::ones([4])])),
    ("einsum_repeated_output", || _ = einsum("ij->iij", &[&variable()])),
    ("einsum_unknown_output", || _ = einsum("ij->ik", &[&variable()])),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// The sum over all values of the subscripts; supports only letters and an explicit output.
fn by_definition(equation: &str, operands: &[Tensor<f64>]) -> Tensor<f64> {
    let (inputs, output) = equation.split_once("->").unwrap();
    let terms: Vec<&str> = inputs.split(',').collect();
    let mut sizes = BTreeMap::new();
    for (term, x) in terms.iter().zip(operands) {
        sizes.extend(term.chars().zip(x.shape().iter().copied()));
    }
    let shape: Vec<usize> = output.chars().map(|c| sizes[&c]).collect();
    let mut sum = Tensor::zeros(shape.as_slice());
    let combinations: usize = sizes.values().product();
    for mut number in 0..combinations {
        let mut values = BTreeMap::new();
        for (&letter, &size) in &sizes {
            values.insert(letter, number % size);
            number /= size;
        }
        let at = |term: &str| -> Vec<usize> { term.chars().map(|c| values[&c]).collect() };
        let product: f64 = terms.iter().zip(operands).map(|(term, x)| element(x, &at(term))).product();
        sum.as_mut_slice()[offset(&shape, &at(output))] += product;
    }
    sum
}

fn offset(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |at, (size, k)| at * size + k)
}

fn element(x: &Tensor<f64>, index: &[usize]) -> f64 {
    x.as_slice()[offset(x.shape(), index)]
}

#[test]
fn random_equations_give_what_their_definition_says() {
    let mut rng = wengert::rng(3);
    for _ in 0..500 {
        let letters = &["a", "b", "c", "D", "e"][..rng.random_range(1..=5)];
        let sizes: Vec<usize> = letters.iter().map(|_| rng.random_range(1..4)).collect();
        let terms: Vec<Vec<usize>> = (0..rng.random_range(1..=4))
            .map(|_| (0..rng.random_range(0..4)).map(|_| rng.random_range(0..letters.len())).collect())
            .collect();
        let operands: Vec<Tensor<f64>> = terms
            .iter()
            .map(|term| Tensor::randn(term.iter().map(|&k| sizes[k]).collect::<Vec<_>>(), &mut rng))
            .collect();
        let mut output: Vec<usize> = terms.iter().flatten().copied().filter(|_| rng.random_bool(0.5)).collect();
        output.sort_unstable_by_key(|k| (k * 7) % 5);
        output.dedup();
        let text = |term: &Vec<usize>| term.iter().map(|&k| letters[k]).collect::<String>();
        let inputs: Vec<String> = terms.iter().map(text).collect();
        let equation = format!("{}->{}", inputs.join(","), text(&output));
        let found = einsum(&equation, &operands.iter().collect::<Vec<_>>());
        assert_close(&found, &by_definition(&equation, &operands));
    }
}

#[test]
fn an_output_that_is_not_written_has_the_letters_that_occur_once() {
    let (x, y) = (tensor![f64; [1.0, 2.0], [3.0, 4.0]], tensor![f64; [1.0, 0.0], [2.0, 1.0]]);
    assert_eq!(einsum("ba", &[&x]), x.transpose(0, 1));
    assert_eq!(einsum("aB", &[&x]), x.transpose(0, 1));
    assert_eq!(einsum("ij,jh", &[&x, &y]), x.matmul(&y).transpose(0, 1));
    assert_eq!(einsum(" i j , j k -> i k ", &[&x, &y]), x.matmul(&y));
    let stack = Tensor::<f64>::randn([3, 2, 2], &mut wengert::rng(0));
    assert_eq!(einsum("j...i", &[&stack.permute([1, 0, 2])]), stack.transpose(1, 2));
    assert_eq!(einsum("...ij,...jk", &[&stack, &y]), stack.matmul(&y));
}
