//! Cumulative sums and products.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] =
    &[("axis_out_of_range", || _ = matrix().cumsum(2)), ("axis_out_of_range", || _ = matrix().cumprod(-3))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn rows_of_any_length_and_number_are_accumulated() {
    for (rows, n) in [(1, 1), (7, 5), (8, 16), (9, 17), (20, 40), (3, 0)] {
        let x = Tape::new().var(Tensor::<f32>::randn([rows, n], &mut wengert::rng(0)));
        let y = x.cumsum(1);
        let u = Tensor::<f32>::randn([rows, n], &mut wengert::rng(1));
        let gx = (&y * &u).sum().grad(&x);
        for row in 0..rows {
            let [x, u, y, gx] = [x.value(), &u, y.value(), gx.value()].map(|x| &x.as_slice()[row * n..][..n]);
            for k in 0..n {
                let (sum, rest): (f64, f64) =
                    (x[..=k].iter().map(|&x| f64::from(x)).sum(), u[k..].iter().map(|&u| f64::from(u)).sum());
                assert!((f64::from(y[k]) - sum).abs() < 1e-6 * (1.0 + sum.abs()), "{rows} rows of {n}");
                assert!((f64::from(gx[k]) - rest).abs() < 1e-6 * (1.0 + rest.abs()), "{rows} rows of {n}");
            }
        }
    }
}
