//! Sorting along an axis.

use super::for_each;
use crate::support::draw::resolve;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::samples::{matrix, variable};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("sort", &[&[&[5]], &[&[3, 4]], &[&[2, 0]]], |x| x[0].sort(-1, false).0),
        row("sort", &[&[&[2, 3, 2]]], |x| x[0].sort(1, true).0),
        row("topk", &[&[&[5]], &[&[2, 4]]], |x| x[0].topk(2, -1).0),
        row("topk", &[&[&[4, 3]]], |x| x[0].topk(3, 0).0),
        row("argsort", &[&[&[3, 4]]], |x| x[0].gather(1, x[0].argsort(1, true))),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().sort(2, false)),
    ("axis_out_of_range", || _ = Tensor::<f32>::scalar(1.0).argsort(0, false)),
    ("too_few_elements", || _ = variable().topk(4, 1)),
    ("too_few_elements", || _ = matrix().topk(usize::MAX, 0)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// The results of PyTorch, with `stable=True`.
#[test]
fn nan_is_the_greatest_zeros_are_equal_and_equal_elements_keep_their_order() {
    let (nan, infinity) = (f32::NAN, f32::INFINITY);
    let x = tensor![2.0, nan, -0.0, 5.0, 0.0, -nan, infinity, -infinity, 2.0];
    assert_eq!(x.argsort(0, false), [7, 2, 4, 0, 8, 3, 6, 1, 5].into());
    let descending = [1, 5, 6, 3, 0, 8, 2, 4, 7];
    assert_eq!(x.argsort(0, true), descending.into());
    for k in 0..=9 {
        assert_eq!(x.topk(k, 0).1, descending[..k].into());
    }
    let wide: Tensor = Tensor::zeros([1usize << 40, 0]);
    assert_eq!(wide.argsort(0, false).shape(), wide.shape());
    // Elements are moved as they are, a negative zero too.
    let bits: Vec<u32> = x.sort(0, true).0.iter().map(|x| x.to_bits()).collect();
    assert_eq!(bits, descending.map(|k| x.as_slice()[k].to_bits()));
}

/// Indices as numbers, because they have no methods that move axes.
fn numbers(indices: &Indices) -> Tensor<f64> {
    Tensor::from_vec(indices.as_slice().iter().map(|&k| k as f64).collect::<Vec<_>>(), indices.shape())
}

#[test]
fn the_order_along_any_axis_is_that_of_a_stable_sort() {
    for_each(|x, axis, draw| {
        // Few different values, so that many are equal.
        let x = x.value().map(|x| if x > 1.5 { f64::NAN } else { (x * 2.0).round() });
        let (n, rows) = (x.shape()[resolve(axis, x.shape())], x.transpose(axis, -1));
        let compare = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or(a.is_nan().cmp(&b.is_nan()));
        for descending in [false, true] {
            let sorted = |row: &[f64]| {
                let mut positions: Vec<usize> = (0..n).collect();
                positions.sort_by(|&a, &b| match descending {
                    false => compare(row[a], row[b]),
                    true => compare(row[b], row[a]),
                });
                positions.into_iter().map(|k| k as f64)
            };
            let expected: Vec<f64> = rows.as_slice().chunks_exact(n.max(1)).flat_map(sorted).collect();
            assert_eq!(numbers(&x.argsort(axis, descending)).transpose(axis, -1).as_slice(), expected);
        }
        let k = draw.size(0, n);
        assert_eq!(numbers(&x.topk(k, axis).1), numbers(&x.argsort(axis, true)).slice(axis, ..k as isize));
    });
}
