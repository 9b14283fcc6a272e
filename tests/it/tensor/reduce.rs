//! Reductions.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = matrix().sum_over(2)),
    ("axis_out_of_range", || _ = matrix().mean_over([0, -3])),
    ("axis_out_of_range", || _ = matrix().argmax(2)),
    ("axis_twice", || _ = matrix().max_over([1, -1])),
    ("nothing_to_choose", || _ = Tensor::<f32>::zeros([2, 0]).argmin(1)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn rows_and_columns_of_any_length_are_reduced_in_full() {
    let mut rng = wengert::rng(0);
    for n in (1..70).chain([255, 256, 300, 513, 1025]) {
        let mut x: Tensor = Tensor::randn([3, n], &mut rng);
        for row in 0..3 {
            let values = x.as_slice()[row * n..][..n].to_vec();
            let largest = (0..n).fold(0, |best, k| if values[k] > values[best] { k } else { best });
            let smallest = (0..n).fold(0, |best, k| if values[k] < values[best] { k } else { best });
            let sum: f64 = values.iter().map(|&x| f64::from(x)).sum();
            for (x, axis) in [(x.clone(), 1), (x.transpose(0, 1), 0)] {
                assert_eq!((x.argmax(axis)[row], x.argmin(axis)[row]), (largest, smallest), "{n} along {axis}");
                assert_eq!(x.max_over(axis).as_slice()[row], values[largest]);
                assert_eq!(x.min_over(axis).as_slice()[row], values[smallest]);
                assert!((f64::from(x.sum_over(axis).as_slice()[row]) - sum).abs() < 1e-6 * n as f64);
            }
        }
        // The first of two NaN, and the first of equals.
        x.as_mut_slice()[n / 2..n].fill(f32::NAN);
        x.as_mut_slice()[n..2 * n].fill(-0.5);
        assert_eq!(x.argmax(1)[..2], [n / 2, 0]);
        assert_eq!(x.transpose(0, 1).argmin(0)[..2], [n / 2, 0]);
        assert!(x.max_over(1).as_slice()[0].is_nan());
    }
}

#[test]
fn many_columns_are_reduced_like_each_alone() {
    // Extremes take 128 columns at a time, then 32, then one.
    let mut x: Tensor = Tensor::randn([5, 197], &mut wengert::rng(1));
    x.as_mut_slice()[2 * 197 + 100] = f32::NAN;
    let reductions: [fn(&Tensor) -> Tensor; 3] = [|x| x.max_over(0), |x| x.min_over(0), |x| x.prod_over(0)];
    for reduce in reductions {
        for (k, y) in reduce(&x).as_slice().iter().enumerate() {
            assert_eq!(y.to_bits(), reduce(&x.index_select(1, &[k])).item().to_bits(), "column {k}");
        }
    }
}
