//! Normalization: fused operations compared with compositions of basic ones.

mod batch_norm;
mod row_norm;

use crate::support::compare::assert_close;
use crate::support::gradients::Row;
use crate::support::panics::Panic;
use wengert::ops::BatchStatistics;
use wengert::prelude::*;

const EPSILON: f64 = 1e-5;

pub fn rows() -> Vec<Row> {
    batch_norm::rows().into_iter().chain(row_norm::rows()).collect()
}

pub fn panics() -> Vec<Panic> {
    [batch_norm::PANICS, row_norm::PANICS].concat()
}

/// The composition that a fused normalization replaces: the mean, the variance, then the rest.
fn composed(x: &Var<f64>, axes: &[isize], centered: bool) -> Var<f64> {
    let x = if centered { x - x.mean_over(keepdim(axes)) } else { x.clone() };
    &x / (x.square().mean_over(keepdim(axes)) + EPSILON).sqrt()
}

/// The value of a function of several inputs, its gradients for a cotangent, and their derivatives for further cotangents.
fn orders(f: impl Fn(&[Var<f64>]) -> Var<f64>, inputs: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let mut rng = wengert::rng(5);
    let tape = Tape::new_f64();
    let x: Vec<_> = inputs.iter().map(|x| tape.var(x)).collect();
    let targets: Vec<_> = x.iter().collect();
    let y = f(&x);
    let cotangent = tape.var(Tensor::randn(y.shape(), &mut rng));
    let first: Vec<_> = y.vjp(&cotangent, &targets).into_iter().flatten().collect();
    let products = first.iter().map(|g| (g * Tensor::randn(g.shape(), &mut rng)).sum());
    let scalar = products.reduce(|sum, product| sum + product).unwrap();
    let second = scalar.vjp(&tape.constant(1.0), &targets).into_iter().flatten();
    [y].into_iter().chain(first.iter().cloned()).chain(second).map(|x| x.value().clone()).collect()
}

#[test]
fn fused_normalisations_are_their_composition_at_every_order() {
    let mut rng = wengert::rng(1);
    let mut inputs = |shape: &[usize], affine: &[usize]| {
        [shape, affine, affine].map(|shape| Tensor::<f64>::randn(shape, &mut rng) + 0.5)
    };
    let same = |inputs: &[Tensor<f64>], fused: fn(&[Var<f64>]) -> Var<f64>, reference: fn(&[Var<f64>]) -> Var<f64>| {
        let (fused, reference) = (orders(fused, inputs), orders(reference, inputs));
        assert_eq!(fused.len(), reference.len());
        fused.iter().zip(&reference).for_each(|(a, b)| assert_close(a, b));
    };
    // Short rows, which are summed side by side; more elements than one thread takes at a time, and rows longer than a block of a sum.
    for (rows, n) in [(3, 5), (37, 50), (70, 1000)] {
        let layer = inputs(&[rows, n], &[n]);
        same(
            &layer,
            |x| x[0].layer_norm(x[1].shape(), &x[1], &x[2], EPSILON),
            |x| composed(&x[0], &[-1], true) * &x[1] + &x[2],
        );
        same(&layer[..2], |x| x[0].rms_norm(x[1].shape(), &x[1], EPSILON), |x| composed(&x[0], &[-1], false) * &x[1]);
    }
    let images = inputs(&[2, 6, 3, 40], &[6]);
    fn affine(y: Var<f64>, x: &[Var<f64>]) -> Var<f64> {
        y * x[1].reshape([6, 1, 1]) + x[2].reshape([6, 1, 1])
    }
    same(&images, |x| x[0].instance_norm(&x[1], &x[2], EPSILON), |x| affine(composed(&x[0], &[2, 3], true), x));
    same(
        &images,
        |x| x[0].group_norm(3, &x[1], &x[2], EPSILON),
        |x| affine(composed(&x[0].reshape([2, 3, -1]), &[2], true).reshape(x[0].shape()), x),
    );
    let batch = |x: &[Var<f64>]| x[0].batch_norm(&x[1], &x[2], BatchStatistics::OfBatch, EPSILON).y;
    let layer = |x: &[Var<f64>]| composed(&x[0], &[0], true) * &x[1] + &x[2];
    same(&images, batch, |x| affine(composed(&x[0], &[0, 2, 3], true), x));
    same(&inputs(&[9, 6, 70, 13], &[6]), batch, |x| affine(composed(&x[0], &[0, 2, 3], true), x));
    // Whole groups of columns and a remainder, on more rows than are added at a time.
    for shape in [[21, 70], [600, 133]] {
        same(&inputs(&shape, &shape[1..]), batch, layer);
    }
}

/// The error of a normalization and its gradients in single precision relative to double precision, for a mean of 10 000.
fn error_around_a_large_mean(
    shape: &[usize],
    channels: usize,
    single: fn(&Var<f32>, &Var<f32>) -> Var<f32>,
    double: fn(&Var<f64>, &Var<f64>) -> Var<f64>,
) -> f64 {
    let mut rng = wengert::rng(2);
    let deviations: Tensor = Tensor::randn(shape, &mut rng);
    let x = deviations + 10_000.0;
    let wide = Tensor::<f64>::from_vec(x.as_slice().iter().map(|&x| f64::from(x)).collect(), x.shape());
    let cotangent = Tensor::<f64>::randn(shape, &mut rng);
    let narrow = Tensor::<f32>::from_vec(cotangent.as_slice().iter().map(|&x| x as f32).collect(), shape);
    let tape = Tape::new();
    let (x, weight) = (tape.var(&x), tape.var(Tensor::ones([channels])));
    let y = single(&x, &weight);
    let gradients = y.vjp(&tape.constant(narrow), &[&x, &weight]).into_iter().flatten();
    let tape = Tape::new_f64();
    let (x, weight) = (tape.var(&wide), tape.var(Tensor::ones([channels])));
    let exact = double(&x, &weight);
    let exact_gradients = exact.vjp(&tape.constant(cotangent), &[&x, &weight]).into_iter().flatten();
    let pairs = [y].into_iter().chain(gradients).zip([exact].into_iter().chain(exact_gradients));
    let error = |(a, b): (Var<f32>, Var<f64>)| {
        let differences = a.value().as_slice().iter().zip(b.value().as_slice()).map(|(&a, b)| (f64::from(a) - b).abs());
        differences.fold(0.0, f64::max)
    };
    pairs.map(error).fold(0.0, f64::max)
}

#[test]
fn single_precision_is_exact_around_a_large_mean() {
    fn layer<T: Float>(x: &Var<T>, weight: &Var<T>) -> Var<T> {
        x.layer_norm(weight.shape(), weight, 0.0, EPSILON)
    }
    fn batch<T: Float>(x: &Var<T>, weight: &Var<T>) -> Var<T> {
        x.batch_norm(weight, 0.0, BatchStatistics::OfBatch, EPSILON).y
    }
    let errors = [
        error_around_a_large_mean(&[8, 1000], 1000, layer, layer),
        error_around_a_large_mean(&[37, 50], 50, layer, layer),
        error_around_a_large_mean(&[1000, 40], 40, batch, batch),
        error_around_a_large_mean(&[10, 8, 5, 20], 8, batch, batch),
        error_around_a_large_mean(&[250, 8, 2, 2], 8, batch, batch),
    ];
    assert!(errors.iter().all(|&error| error < 2e-5), "{errors:?}");
}
