//! Mistakes that implementations of convolution and pooling have made, and the identities that hold between adjoint pairs.

use wengert::ops::{AvgPool, MaxPool};
use wengert::prelude::*;

fn assert_close(a: &Tensor<f64>, b: &Tensor<f64>) {
    assert_eq!(a.shape(), b.shape());
    let error = (a - b).map(f64::abs).max().item();
    assert!(error <= 1e-12, "{a} and {b} differ by {error}");
}

fn inner(a: &Var<f64>, b: &Var<f64>) -> f64 {
    (a * b).sum().item()
}

fn options() -> [Conv<2>; 4] {
    [
        Conv::new(),
        Conv::new().stride(2),
        Conv::new().padding([2, 1]).dilation([1, 2]),
        Conv::new().stride([3, 2]).padding(1).groups(2),
    ]
}

/// A function of an image and a weight, its gradients along a cotangent, and the derivatives of those along directions.
fn orders(f: impl Fn(&Var<f64>, &Var<f64>) -> Var<f64>, x: &Tensor<f64>, weight: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let mut rng = wengert::rng(5);
    let tape = Tape::new_f64();
    let (x, weight) = (tape.var(x), tape.var(weight));
    let y = f(&x, &weight);
    let cotangent = tape.var(Tensor::randn(y.shape(), &mut rng));
    let first = y.vjp(&cotangent, &[&x, &weight]).into_iter().map(|g| g.expect("y depends on both"));
    let first: Vec<_> = first.collect();
    let along = |g: &Var<f64>, rng: &mut _| (g * tape.constant(Tensor::randn(g.shape(), rng))).sum();
    let s = along(&first[0], &mut rng) + along(&first[1], &mut rng);
    let second = s.vjp(&tape.constant(1.0), &[&x, &weight, &cotangent]).into_iter();
    let second = second.map(|g| g.expect("the gradients depend on all three").value().clone());
    [y].iter().chain(&first).map(|v| v.value().clone()).chain(second).collect()
}

#[test]
fn convolution_is_a_product_with_the_columns_at_every_order() {
    let mut rng = wengert::rng(1);
    let (x, weight) = (Tensor::randn([2, 2, 7, 6], &mut rng), Tensor::randn([3, 2, 3, 2], &mut rng));
    for options in &options()[..3] {
        let product = |x: &Var<f64>, weight: &Var<f64>| {
            weight.reshape([3, -1]).matmul(x.unfold2d([3, 2], *options)).reshape([2, 3, -1])
        };
        let convolution = |x: &Var<f64>, weight: &Var<f64>| x.conv2d(weight, *options).flatten(2, 3);
        for (a, b) in orders(convolution, &x, &weight).iter().zip(&orders(product, &x, &weight)) {
            assert_close(a, b);
        }
    }
}

#[test]
fn a_tap_may_lie_on_the_padding_everywhere() {
    let tape = Tape::new_f64();
    let (x, weight) = (tape.var([[[[1.0], [2.0], [3.0]]]]), tape.var([[[[5.0, 7.0, 11.0]]]]));
    let y = x.conv2d(&weight, Conv::new().padding([0, 3]).dilation([1, 3]));
    assert_eq!(y.value(), &(x.value() * 7.0));
    assert_eq!(y.sum().grad(&weight).value(), &tensor![f64; [[[0.0, 6.0, 0.0]]]]);
    assert_eq!(y.sum().grad(&x).value(), &tensor![f64; [[[7.0], [7.0], [7.0]]]]);

    // Its place would be behind the end of the image.
    let (x, weight) = (tape.var(Tensor::ones([1, 2, 1, 1])), tape.var(Tensor::ones([3, 2, 3, 3])));
    let y = x.conv2d(&weight, Conv::new().padding(2).dilation(2));
    assert_eq!(y.value(), &Tensor::full([1, 3, 1, 1], 2.0));
    assert_eq!(y.sum().grad(&x).value(), &Tensor::full([1, 2, 1, 1], 3.0));
    assert_eq!(y.sum().grad(&weight).value().sum().item(), 6.0);
}

#[test]
fn groups_are_convolutions_side_by_side() {
    let mut rng = wengert::rng(2);
    let tape = Tape::new_f64();
    let (x, weight) =
        (tape.var(Tensor::randn([2, 4, 5, 5], &mut rng)), tape.var(Tensor::randn([6, 2, 2, 2], &mut rng)));
    let y = x.conv2d(&weight, Conv::new().groups(2));
    for group in 0..2 {
        let part = x.slice(1, 2 * group..2 * group + 2);
        let alone = part.conv2d(weight.slice(0, 3 * group..3 * group + 3), Conv::new());
        assert_close(y.slice(1, 3 * group..3 * group + 3).value(), alone.value());
    }
}

#[test]
fn transposed_convolution_is_the_adjoint() {
    let mut rng = wengert::rng(3);
    for (options, output_padding) in options().into_iter().zip([[0, 0], [0, 1], [0, 0], [0, 1]]) {
        let tape = Tape::new_f64();
        let x = tape.var(Tensor::randn([2, 4, 7, 7], &mut rng));
        let channels = if options == self::options()[3] { 2 } else { 4 };
        let weight = tape.var(Tensor::randn([6, channels, 3, 2], &mut rng));
        let y = x.conv2d(&weight, options);
        let u = tape.var(Tensor::randn(y.shape(), &mut rng));
        let back = u.conv_transpose2d(&weight, options.output_padding(output_padding));
        assert_eq!(back.shape(), x.shape(), "{options:?}");
        assert!((inner(&y, &u) - inner(&x, &back)).abs() < 1e-10, "{options:?}");
        assert_close(y.vjp(&u, &[&x])[0].as_ref().unwrap().value(), back.value());
    }
}

#[test]
fn folding_the_columns_back_counts_the_windows_of_each_element() {
    let tape = Tape::new_f64();
    let x = tape.var(Tensor::arange(1.0, 13.0, 1.0).reshape([1, 1, 3, 4]));
    let columns = x.unfold2d(2, Conv::new());
    let folded = columns.vjp(&columns, &[&x])[0].clone().unwrap();
    let count = tensor![f64; [1.0, 2.0, 2.0, 1.0], [2.0, 4.0, 4.0, 2.0], [1.0, 2.0, 2.0, 1.0]];
    assert_eq!(folded.value(), &(x.value() * &count));
}

#[test]
fn an_element_that_is_the_largest_of_several_windows_gets_the_gradients_of_all() {
    let tape = Tape::new_f64();
    let x = tape.var([[1.0, 5.0, 2.0, 3.0, 3.0]]);
    let y = x.max_pool1d(MaxPool::new(3).stride(1));
    assert_eq!(y.value(), &tensor![f64; [5.0, 5.0, 3.0]]);
    let gradient = y.vjp(&tape.constant([[1.0, 10.0, 100.0]]), &[&x])[0].clone().unwrap();
    assert_eq!(gradient.value(), &tensor![f64; [0.0, 11.0, 0.0, 100.0, 0.0]], "of equal ones the first");
}

#[test]
fn padding_is_never_the_largest_and_windows_may_leave_gaps() {
    let tape = Tape::new_f64();
    let x = tape.var([[-1.0, -2.0, -3.0, -4.0, -5.0]]);
    let y = x.max_pool1d(MaxPool::new(2).stride(3).padding(1));
    assert_eq!(y.value(), &tensor![f64; [-1.0, -3.0]]);
    assert_eq!(y.sum().grad(&x).value(), &tensor![f64; [1.0, 0.0, 1.0, 0.0, 0.0]]);
    let infinite = tape.var([[f64::NEG_INFINITY, f64::NAN]]);
    assert!(infinite.max_pool1d(2).item().is_nan());
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
    // What ceil_mode adds beyond the padding is not counted, padding is.
    let ceil = x.avg_pool1d(AvgPool::new(2).stride(3).padding(1).ceil_mode(true));
    assert_eq!(ceil.value(), &tensor![f64; [1.5, 4.5]]);
}
