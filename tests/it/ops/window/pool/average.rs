//! Average pooling.

use super::{IMAGE, LINE};
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_linear};
use crate::support::samples::{images, variable};
use wengert::ops::AvgPool;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("avg_pool1d", LINE, |x| x[0].avg_pool1d(AvgPool::new(3).stride(1).padding(1))),
        row("avg_pool2d", IMAGE, |x| {
            x[0].avg_pool2d(AvgPool::new([3, 2]).stride(2).padding([1, 0]).ceil_mode(true).count_include_pad(false))
        }),
        row("adaptive_avg_pool1d", LINE, |x| x[0].adaptive_avg_pool1d(3)),
        row("adaptive_avg_pool2d", IMAGE, |x| x[0].adaptive_avg_pool2d([3, 4])),
    ]
}

pub const PANICS: &[Panic] = &[
    ("window_on_padding", || _ = images().avg_pool2d(AvgPool2d::new(1).padding(1))),
    ("no_images", || _ = variable().sum().adaptive_avg_pool1d(1)),
    ("nothing_to_choose", || _ = variable().slice(1, ..0).adaptive_avg_pool2d(1)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_linear(&[("avg_pool2d", |draw| {
        case([vec![draw.size(1, 2), 2, 4, draw.size(3, 5)]], |x| x[0].avg_pool2d(2))
    })]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn the_mean_at_the_border_divides_by_what_it_was_told() {
    let tape = Tape::new_f64();
    let x = tape.var([[3.0, 6.0, 9.0]]);
    let pool = AvgPool::new(2).padding(1);
    assert_eq!(x.avg_pool1d(pool).value(), &tensor![f64; [1.5, 7.5]]);
    let inside = x.avg_pool1d(pool.count_include_pad(false));
    assert_eq!(inside.value(), &tensor![f64; [3.0, 7.5]]);
    assert_eq!(inside.sum().grad(&x).value(), &tensor![f64; [1.0, 0.5, 0.5]]);
    // Positions that ceil_mode adds beyond the padding are not counted, the padding is.
    let ceil = x.avg_pool1d(AvgPool::new(2).stride(3).padding(1).ceil_mode(true));
    assert_eq!(ceil.value(), &tensor![f64; [1.5, 4.5]]);
}
