//! Sums of many terms in single precision, compared with double precision.

use wengert::prelude::*;

const ROWS: usize = 1_000_000;

/// Numbers around 0.1 or around `mean`, the same in both precisions.
fn numbers<T: Float>(shape: &[usize], mean: f64) -> Tensor<T> {
    let x = Tensor::<f32>::randn(shape, &mut wengert::rng(3)) * 0.01 + mean;
    x.cast()
}

/// The largest error relative to the largest element.
fn error(single: &Tensor<f32>, double: &Tensor<f64>) -> f64 {
    let difference = (single.cast::<f64>() - double).abs().max().item();
    difference / double.abs().max().item()
}

/// Asserts that a computation in single precision has an error below 10⁻⁶.
macro_rules! assert_accurate {
    ($name:literal, $f:ident) => {
        let error = error(&$f::<f32>(), &$f::<f64>());
        assert!(error < 1e-6, "{}: a relative error of {error:e}", $name);
    };
}

#[test]
fn sums_of_columns_keep_their_digits() {
    fn sum<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS, 3], 0.1).sum_over(0)
    }
    fn wide<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS / 20, 40], 0.1).sum_over(0)
    }
    fn outer<T: Float>() -> Tensor<T> {
        numbers::<T>(&[2, ROWS / 2, 3], 0.1).mean_over(1)
    }
    fn variance<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS, 2], 1.0).var_over(0, 1.0)
    }
    fn deviation<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS, 2], 1.0).std_over(0, 1.0)
    }
    assert_accurate!("sum", sum);
    assert_accurate!("sum of wide rows", wide);
    assert_accurate!("mean", outer);
    assert_accurate!("var", variance);
    assert_accurate!("std", deviation);
    assert_eq!(Tensor::<f32>::ones([20_000_000, 2]).sum_over(0), tensor![20e6, 20e6]);
}

#[test]
fn gradients_summed_over_rows_keep_their_digits() {
    fn bias<T: Float>() -> Tensor<T> {
        let tape = Tape::<T>::with_mode(Mode::Differentiable);
        let (x, w, b) = (numbers(&[ROWS, 1], 0.1), tape.var(Tensor::ones([2, 1])), tape.var(Tensor::zeros([2])));
        let y = tape.constant(x).linear_bias(&w, &b);
        (&y * tape.constant(numbers(&[ROWS, 2], 0.1))).sum().grad(&b).value().clone()
    }
    fn broadcast<T: Float>() -> Tensor<T> {
        let tape = Tape::<T>::with_mode(Mode::Differentiable);
        let b = tape.var(Tensor::ones([2, 1]));
        (tape.constant(numbers(&[ROWS, 2, 1], 0.1)) * &b).sum().grad(&b).value().clone()
    }
    fn layer_norm<T: Float>() -> Tensor<T> {
        let tape = Tape::<T>::with_mode(Mode::Differentiable);
        let (w, b) = (tape.var(Tensor::ones([4])), tape.var(Tensor::zeros([4])));
        let y = tape.constant(numbers(&[ROWS / 4, 4], 0.0)).layer_norm([4], &w, &b, 1e-5);
        let y = (&y * &y * tape.constant(numbers(&[ROWS / 4, 4], 0.1))).sum();
        Tensor::concat(&[y.grad(&w).value().clone(), y.grad(&b).value().clone()], 0)
    }
    fn embedding<T: Float>() -> Tensor<T> {
        let tape = Tape::<T>::with_mode(Mode::Differentiable);
        let w = tape.var(Tensor::zeros([2, 2]));
        let rows: Vec<usize> = (0..ROWS).map(|k| k % 2).collect();
        let loss = (w.embedding(rows, None) * tape.constant(numbers(&[ROWS, 2], 0.1))).sum();
        Tensor::concat(&[loss.grad(&w).value(), &loss.backward()[&w]], 0)
    }
    assert_accurate!("bias of linear", bias);
    assert_accurate!("broadcast operand", broadcast);
    assert_accurate!("layer norm", layer_norm);
    assert_accurate!("embedding", embedding);
}

#[test]
fn additions_by_index_keep_their_digits() {
    let ones = Tensor::<f32>::ones([20_000_000]);
    let tape = Tape::inference();
    let zeros = tape.constant(Tensor::zeros([2]));
    let indices = vec![1usize; ones.len()];
    assert_eq!(zeros.index_add(0, &indices, &ones).value(), &tensor![0.0, 20e6]);
    assert_eq!(zeros.scatter_add(0, indices, &ones).value(), &tensor![0.0, 20e6]);
}

#[test]
fn scans_and_exponentials_keep_their_digits() {
    fn logsumexp<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS], 0.5).logsumexp()
    }
    fn logsumexp_of_columns<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS, 2], 0.5).logsumexp_over(0)
    }
    fn softmax_of_columns<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS, 2], 0.5).softmax(0)
    }
    fn logcumsumexp<T: Float>() -> Tensor<T> {
        let tape = Tape::<T>::with_mode(Mode::Inference);
        tape.constant(numbers(&[ROWS], 0.5)).logcumsumexp(0).value().clone()
    }
    fn product<T: Float>() -> Tensor<T> {
        numbers::<T>(&[ROWS / 10, 2], 1.0).prod_over(0)
    }
    fn cumulative_product<T: Float>() -> Tensor<T> {
        let tape = Tape::<T>::with_mode(Mode::Inference);
        tape.constant(numbers(&[ROWS / 10], 1.0)).cumprod(0).value().clone()
    }
    assert_accurate!("logsumexp", logsumexp);
    assert_accurate!("logsumexp of columns", logsumexp_of_columns);
    assert_accurate!("softmax of columns", softmax_of_columns);
    assert_accurate!("logcumsumexp", logcumsumexp);
    assert_accurate!("prod", product);
    assert_accurate!("cumprod", cumulative_product);
}

#[test]
fn norms_of_huge_and_tiny_numbers_come_out() {
    let tape = Tape::new();
    for size in [1e20f32, 1e-25, 1e38, 1e-44] {
        let x = tape.var([3.0 * size, 4.0 * size]);
        let near = |y: &Var, expected: f32| (y.item() / expected - 1.0).abs() < if size < 1e-37 { 0.2 } else { 1e-6 };
        if size < 1e38 {
            assert!(near(&x.norm(), 5.0 * size), "{}", x.norm());
            assert!(near(&x.std(), 0.5f32.sqrt() * size), "{}", x.std());
        }
        if size > 1e-40 && size < 1e38 {
            let gradient = x.norm().grad(&x);
            assert!((gradient.value() - tensor![0.6, 0.8]).abs().max().item() < 1e-6, "{gradient}");
            assert!((x.normalize(2.0, 0, 0.0).value() - tensor![0.6, 0.8]).abs().max().item() < 1e-6);
        }
    }
    let double = Tape::new_f64().var([3e200, 4e200]);
    assert!((double.norm().item() / 5e200 - 1.0).abs() < 1e-15);
    let model = Param::<f64>::new(tensor![f64; 0.0, 0.0]);
    let tape = Tape::new_f64();
    let mut gradients = (tape.param(&model) * tape.constant([3e200, 4e200])).sum().backward();
    assert!((gradients.clip_norm(1.0) / 5e200 - 1.0).abs() < 1e-15);
    assert!((&gradients[&model] - tensor![f64; 0.6, 0.8]).abs().max().item() < 1e-12);
}

#[test]
fn norms_of_any_exponent_of_huge_and_tiny_numbers_come_out() {
    for p in [3.0, 0.5, -2.0] {
        let norm = |scale: f64| {
            let x = Tape::new_f64().var(tensor![f64; 3.0, -4.0] * scale);
            let y = x.norm_over(p, 0);
            assert_eq!(x.value().norm_over(p, 0), *y.value());
            (y.item(), y.grad(&x).value().clone())
        };
        let (one, gradient) = norm(1.0);
        // Powers of two, so that nothing is rounded differently.
        for scale in [2f64.powi(800), 2f64.powi(-800)] {
            assert_eq!(norm(scale), (one * scale, gradient.clone()));
        }
    }
}

#[test]
fn means_of_long_windows_keep_their_digits() {
    let x = Tape::inference().constant(Tensor::<f32>::full([1, 1, ROWS], 0.1));
    assert_eq!(x.avg_pool1d(ROWS).item(), 0.1);
    assert_eq!(x.reshape([1, 1, ROWS, 1]).adaptive_avg_pool2d(1).item(), 0.1);
}

#[test]
fn minus_infinity_alone_has_no_share_of_a_sum_of_exponentials() {
    let tape = Tape::new_f64();
    let x = tape.var([[f64::NEG_INFINITY, f64::NEG_INFINITY], [0.0, f64::NEG_INFINITY]]);
    let y = x.logsumexp_over(1);
    assert_eq!(y.value(), &tensor![f64; f64::NEG_INFINITY, 0.0]);
    assert_eq!(y.sum().grad(&x).value(), &tensor![f64; [0.0, 0.0], [1.0, 0.0]]);
    let y = x.logcumsumexp(1);
    assert_eq!(y.slice(1, 1..).sum().grad(&x).value(), &tensor![f64; [0.0, 0.0], [1.0, 0.0]]);
    assert_eq!(tensor![f64::INFINITY, 1.0, 2.0].cast::<f64>().logsumexp().item(), f64::INFINITY);
}

#[test]
fn a_norm_has_derivative_zero_to_any_order_at_zero() {
    let hessian = |f: fn(&Var<f64>) -> Var<f64>, x: Tensor<f64>| functional::hessian(f, &x);
    assert_eq!(hessian(|x| x.norm(), tensor![f64; 0.0, 0.0]), Tensor::zeros([2, 2]));
    assert_eq!(hessian(|x| x.std(), tensor![f64; 2.0, 2.0]), Tensor::zeros([2, 2]));
}

#[test]
fn empty_products_and_powers_are_differentiable() {
    let tape = Tape::new();
    let x = tape.var(Tensor::zeros([2, 0]));
    for y in [x.prod(), x.prod_over(1).sum()] {
        assert_eq!(y.grad(&x).shape(), [2, 0]);
    }
    assert_eq!(x.prod_over(1).value(), &tensor![1.0, 1.0]);
    let a = tape.var([[f32::INFINITY, 2.0], [3.0, 4.0]]);
    let y = a.matrix_power(0);
    assert_eq!(y.value(), &Tensor::eye(2));
    assert_eq!(y.sum().grad(&a).value(), &Tensor::zeros([2, 2]));
}
