//! Feature scaling.

use crate::support::panics::{Panic, messages};
use crate::support::samples::matrix;
use wengert::data::{MinMax, Standardizer, one_hot};
use wengert::prelude::*;
use wengert::rand::RngExt;

pub const PANICS: &[Panic] = &[
    ("no_samples", || _ = Standardizer::fit(&Tensor::<f32>::zeros([0, 3]))),
    ("no_samples", || _ = MinMax::fit(&Tensor::<f32>::scalar(1.0))),
    ("feature_not_finite", || _ = Standardizer::fit(&tensor![[1.0, 2.0], [3.0, f32::NAN]])),
    ("feature_not_finite", || _ = MinMax::fit(&tensor![f64; f64::INFINITY, 1.0])),
    ("feature_shape", || _ = Standardizer::fit(&matrix()).apply(&Tensor::<f32>::ones([3]))),
    ("feature_shape", || _ = MinMax::fit(&matrix()).invert(&Tensor::<f32>::ones([2, 3, 1]))),
    ("label_out_of_range", || _ = one_hot(&[0, 3], 3)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Mean and standard deviation of each column, computed by plain loops.
fn moments(samples: &Tensor<f64>) -> Vec<(f64, f64)> {
    let (count, width) = (samples.shape()[0], samples.shape()[1]);
    let column = |k: usize| (0..count).map(move |row| samples[[row, k]]);
    let mean = |k| column(k).sum::<f64>() / count as f64;
    let variance = |k| column(k).map(|x| (x - mean(k)).powi(2)).sum::<f64>() / count as f64;
    (0..width).map(|k| (mean(k), variance(k).sqrt())).collect()
}

#[test]
fn standardized_features_have_mean_0_and_deviation_1() {
    let mut rng = wengert::rng(2);
    for _ in 0..50 {
        let (count, width) = (rng.random_range(2..60), rng.random_range(1..5));
        let (scale, shift) = (10f64.powi(rng.random_range(-3..4)), rng.random_range(-1000.0..1000.0));
        let samples: Tensor<f64> = Tensor::randn([count, width], &mut rng) * scale + shift;
        let standardizer = Standardizer::fit(&samples);
        let standard = standardizer.apply(&samples);
        for (mean, std) in moments(&standard) {
            assert!(mean.abs() < 1e-8 && (std - 1.0).abs() < 1e-8, "mean {mean}, deviation {std}");
        }
        let error = (standardizer.invert(&standard) - &samples).map(f64::abs).max().item();
        assert!(error < 1e-11 * (scale + shift.abs()), "{error}");
    }
}

#[test]
fn scales_keep_their_precision_and_accept_what_never_changes() {
    // In single precision, a mean of 10⁶ would leave nothing of these differences.
    let samples = tensor![[1e6, 0.1], [1000000.125, 0.1], [1000000.25, 0.1]];
    let standard = Standardizer::fit(&samples).apply(&samples);
    let expected = 1.5f32.sqrt();
    assert_eq!(standard, tensor![[-expected, 0.0], [0.0, 0.0], [expected, 0.0]]);
    assert_eq!(Standardizer::fit(&samples).invert(&standard), samples);
    let constant = Tensor::<f64>::full([1000, 1], 0.1);
    let standardizer = Standardizer::fit(&constant);
    assert_eq!(standardizer.std(), [1.0]);
    assert!(standardizer.apply(&constant).map(f64::abs).max().item() < 1e-12);
    assert_eq!(MinMax::fit(&samples).apply(&samples), tensor![[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]]);
    // Samples of any shape; one sample; no features.
    let images: Tensor = Tensor::randn([5, 2, 3], &mut wengert::rng(0));
    assert_eq!(Standardizer::fit(&images).apply(&images).shape(), [5, 2, 3]);
    assert_eq!(Standardizer::fit(&tensor![3.0]).apply(&tensor![3.0, 5.0]), tensor![0.0, 2.0]);
    assert_eq!(MinMax::fit(&Tensor::<f32>::zeros([2, 0])).apply(&Tensor::<f32>::zeros([4, 0])).shape(), [4, 0]);
    assert_eq!(one_hot(&[0usize; 0], 3).shape(), [0, 3]);
}

#[test]
fn features_at_the_ends_of_the_range_are_scaled() {
    for samples in
        [tensor![f64; [1e-200], [3e-200]], tensor![f64; [-1.5e308], [1.5e308]], tensor![f64; [0.0], [5e-324]]]
    {
        let (standardizer, scale) = (Standardizer::fit(&samples), MinMax::fit(&samples));
        assert_eq!(standardizer.apply(&samples), tensor![f64; [-1.0], [1.0]]);
        assert_eq!(scale.apply(&samples), tensor![f64; [0.0], [1.0]]);
        assert_eq!(scale.invert(&scale.apply(&samples)), samples);
    }
    let standardizer = Standardizer::fit(&tensor![f64; [1e-200], [3e-200]]);
    assert_eq!((standardizer.mean(), standardizer.std()), (&[2e-200][..], &[1e-200][..]));
    assert_eq!(MinMax::fit(&tensor![f64; [0.0], [0.0]]).apply(&tensor![f64; [5.0]]), tensor![f64; [5.0]]);
}
