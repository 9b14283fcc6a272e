//! Softmax, log-softmax and logsumexp.

use crate::support::compare::assert_same_orders;
use crate::support::gradients::{ANY_RANK, Row, THREE_AXES, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{along, check_jacobian};
use crate::support::samples::variable;
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    vec![
        row("softmax", ANY_RANK, |x| x[0].softmax(-1)),
        row("softmax", THREE_AXES, |x| x[0].softmax(1)),
        row("softmax", &[&[&[0, 3]], &[&[3, 0]]], |x| x[0].softmax(-1)),
        row("log_softmax", ANY_RANK, |x| x[0].log_softmax(-1)),
        row("log_softmax", THREE_AXES, |x| x[0].log_softmax(0)),
        row("logsumexp", ANY_RANK, |x| x[0].logsumexp()),
        row("logsumexp_over", THREE_AXES, |x| x[0].logsumexp_over(keepdim([0, 2]))),
    ]
}

pub const PANICS: &[Panic] = &[
    ("axis_out_of_range", || _ = variable().softmax(2)),
    ("axis_out_of_range", || _ = variable().log_softmax(-3)),
    ("axis_out_of_range", || _ = variable().logsumexp_over(2)),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[
        ("logsumexp_over", |draw| along(draw, |x, axis| x.logsumexp_over(axis))),
        ("softmax", |draw| along(draw, |x, axis| x.softmax(axis))),
        ("log_softmax", |draw| along(draw, |x, axis| x.log_softmax(axis))),
    ]);
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn softmax_is_its_composition_at_every_order() {
    let softmax = |x: &Var<f64>| x.exp() / x.exp().sum_over(keepdim(1));
    assert_same_orders(|x| x.softmax(1), softmax);
    assert_same_orders(|x| x.log_softmax(1), |x| softmax(x).ln());
    assert_same_orders(|x| x.logsumexp_over(1), |x| x.exp().sum_over(1).ln());
}

/// The probabilities of a row of scores in double precision, and the logarithm of the sum of their exponentials.
fn exact(row: &[f32]) -> (Vec<f64>, f64) {
    let largest: f64 = row.iter().copied().fold(f32::NEG_INFINITY, f32::max).into();
    let exp: Vec<f64> = row.iter().map(|&x| (f64::from(x) - largest).exp()).collect();
    let sum: f64 = exp.iter().sum();
    (exp.iter().map(|e| e / sum).collect(), largest + sum.ln())
}

#[test]
fn rows_of_any_length_and_number_are_those_of_double_precision() {
    let mut rng = wengert::rng(0);
    for n in (1..70).chain([127, 128, 513, 2107]) {
        for rows in [1, 3, 4, 37] {
            let (x, u): (Tensor, Tensor) =
                (Tensor::randn([rows, n], &mut rng) * 4.0, Tensor::randn([rows, n], &mut rng));
            let labels: Vec<usize> = (0..rows).map(|k| k * 31 % n).collect();
            let tape = Tape::new();
            let x = tape.var(&x);
            let (p, log, lse) = (x.softmax(1), x.log_softmax(1), x.logsumexp_over(1));
            let loss = CrossEntropy::new().reduction(Reduction::Sum).loss(&x, &labels);
            let gradients = [p.vjp(&tape.constant(&u), &[&x]), log.vjp(&tape.constant(&u), &[&x])]
                .map(|gradients| gradients[0].clone().unwrap());
            let (of_lse, of_loss) = (lse.sum().grad(&x), loss.grad(&x));
            let mut losses = 0.0;
            for (row, &label) in labels.iter().enumerate() {
                let range = row * n..(row + 1) * n;
                let of = |x: &Var| x.value().as_slice()[range.clone()].to_vec();
                let (exact, sum) = exact(&of(&x));
                let u: Vec<f64> = u.as_slice()[range.clone()].iter().map(|&u| u.into()).collect();
                let along: f64 = exact.iter().zip(&u).map(|(p, u)| p * u).sum();
                let (total, magnitude) = (u.iter().sum::<f64>(), u.iter().map(|u| u.abs()).sum::<f64>());
                losses += sum - f64::from(of(&x)[label]);
                let close = |what: &str, computed: f32, exact: f64, tolerance: f64| {
                    let error = (f64::from(computed) - exact).abs();
                    assert!(error <= tolerance, "{what} of {rows} rows of {n}: {computed}, not {exact}");
                };
                close("logsumexp", lse.value().as_slice()[row], sum, 1e-6 * (1.0 + sum.abs()));
                for k in 0..n {
                    let p_k = exact[k];
                    // The difference of a score and the largest one is rounded before the exponential.
                    let relative = 1e-6 * (1.0 - p_k.ln() / 8.0);
                    close("softmax", of(&p)[k], p_k, relative * p_k);
                    close("log_softmax", of(&log)[k], p_k.ln(), 1e-6 * (1.0 - p_k.ln()));
                    let gradient = p_k * (u[k] - along);
                    close("gradient", of(&gradients[0])[k], gradient, relative * p_k * (1.0 + magnitude));
                    close("gradient", of(&gradients[1])[k], u[k] - p_k * total, 1e-6 * (1.0 + magnitude));
                    close("gradient", of(&of_lse)[k], p_k, relative * p_k);
                    let hit = if k == label { 1.0 } else { 0.0 };
                    close("gradient", of(&of_loss)[k], p_k - hit, 2.0 * relative * (p_k + hit));
                }
            }
            assert!((f64::from(loss.item()) - losses).abs() <= 1e-6 * (rows as f64 + losses), "{rows} rows of {n}");
        }
    }
}

#[test]
fn infinite_scores_and_nan_reach_only_their_row() {
    const INF: f32 = f32::INFINITY;
    for n in [5, 40] {
        let x = Tensor::<f32>::zeros([6, n]);
        let special = x.iter().enumerate().map(|(k, _)| match (k / n, k % n) {
            (0, 3) => f32::NAN,
            (1, 2) => -INF,
            (2, _) => -INF,
            (3, 1) => INF,
            _ => 0.0,
        });
        let x = Tape::new().var(Tensor::from_vec(special.collect(), [6, n]));
        let (p, lse) = (x.softmax(1), x.logsumexp_over(1));
        let row = |k: usize| p.value().as_slice()[k * n..][..n].to_vec();
        assert!(row(0).iter().chain(&row(2)).all(|p| p.is_nan()), "a row with NaN, and one of -inf alone");
        assert_eq!(row(1)[2], 0.0);
        assert!(row(3)[1].is_nan());
        assert!(row(4).iter().all(|p| (p * n as f32 - 1.0).abs() < 1e-6));
        assert!(lse.value().as_slice()[0].is_nan());
        assert_eq!(lse.value().as_slice()[2..4], [-INF, INF]);
        let gradient = lse.slice(0, 1..3).sum().grad(&x);
        assert!(gradient.value().as_slice()[2 * n..3 * n].iter().all(|&g| g == 0.0), "no score has a share in -inf");
    }
}
