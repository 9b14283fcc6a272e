//! Convolutions with every option. They are linear in each input, so order 3 checks the rules of the rules of their rules.

pub mod unfold;

use crate::support::adjoint::{check_adjoint, pair};
use crate::support::compare::assert_close;
use crate::support::gradients::{Row, check_gradients, row};
use crate::support::panics::{Panic, messages};
use crate::support::random::{case, check_jacobian};
use crate::support::samples::{images, variable};
use wengert::prelude::*;

pub fn rows() -> Vec<Row> {
    let line: [&[&[usize]]; 2] = [&[&[2, 4, 6], &[2, 4, 3], &[2]], &[&[1, 4, 3], &[4, 4, 2], &[4]]];
    let groups: [&[&[usize]]; 2] = [&[&[2, 4, 5], &[2, 2, 3], &[2]], &[&[0, 4, 4], &[2, 2, 2], &[2]]];
    let image: [&[&[usize]]; 2] = [&[&[2, 2, 4, 5], &[3, 2, 2, 3], &[3]], &[&[1, 2, 3, 3], &[1, 2, 3, 1], &[1]]];
    let depthwise: [&[&[usize]]; 1] = [&[&[1, 2, 4, 4], &[4, 1, 2, 2], &[4]]];
    let onto_line: [&[&[usize]]; 1] = [&[&[2, 2, 3], &[2, 1, 3], &[2]]];
    let onto_image: [&[&[usize]]; 1] = [&[&[2, 2, 2, 3], &[2, 3, 2, 2], &[3]]];
    let without_bias =
        |cases: &[&'static [&'static [usize]]]| -> Vec<&[&[usize]]> { cases.iter().map(|case| &case[..2]).collect() };
    vec![
        row("conv1d", &without_bias(&line), |x| x[0].conv1d(&x[1], Conv::new())),
        row("conv1d_bias", &line, |x| x[0].conv1d_bias(&x[1], &x[2], Conv::new())),
        row("conv1d_bias", &groups, |x| x[0].conv1d_bias(&x[1], &x[2], Conv::new().groups(2).stride(2).padding(1))),
        row("conv2d", &without_bias(&image), |x| x[0].conv2d(&x[1], Conv::new().stride([1, 2]))),
        row("conv2d_bias", &image, |x| x[0].conv2d_bias(&x[1], &x[2], Conv::new().padding([1, 0]))),
        row("conv2d_bias", &depthwise, |x| x[0].conv2d_bias(&x[1], &x[2], Conv::new().groups(2).dilation([2, 1]))),
        row("conv_transpose1d", &without_bias(&onto_line), |x| x[0].conv_transpose1d(&x[1], Conv::new())),
        row("conv_transpose1d_bias", &onto_line, |x| {
            x[0].conv_transpose1d_bias(&x[1], &x[2], Conv::new().groups(2).stride(2).output_padding(1))
        }),
        row("conv_transpose2d", &without_bias(&onto_image), |x| x[0].conv_transpose2d(&x[1], Conv::new())),
        row("conv_transpose2d_bias", &onto_image, |x| {
            x[0].conv_transpose2d_bias(&x[1], &x[2], Conv::new().stride(2).padding([1, 0]).dilation([1, 2]))
        }),
    ]
}

pub const PANICS: &[Panic] = &[
    ("wrong_shapes not_convolvable", || _ = variable().conv1d(Tensor::ones([4, 3, 2]), Conv::new())),
    ("wrong_shapes not_convolvable", || _ = images().conv2d(Tensor::ones([4, 3, 2]), Conv::new())),
    ("wrong_shapes conv_channels", || _ = images().conv2d(Tensor::ones([4, 3, 2, 2]), Conv::new().groups(2))),
    ("wrong_shapes conv_groups", || _ = images().conv2d(Tensor::ones([3, 2, 2, 2]), Conv::new().groups(2))),
    ("wrong_shapes conv_bias", || {
        _ = images().conv2d_bias(Tensor::ones([3, 4, 2, 2]), Tensor::ones([1]), Conv::new());
    }),
    ("wrong_shapes empty_kernel", || _ = images().conv2d(Tensor::ones([3, 4, 0, 2]), Conv::new())),
    ("wrong_shapes transpose_channels", || {
        _ = images().conv_transpose2d(Tensor::ones([3, 4, 2, 2]), Conv::new());
    }),
    ("window_too_large", || {
        _ = images().conv2d(Tensor::ones([3, 4, 3, 4]), Conv::new().padding([0, 1]).dilation([2, 3]));
    }),
    ("nothing_left", || _ = images().conv_transpose2d(Tensor::ones([4, 1, 2, 2]), Conv::new().padding(3))),
    ("output_padding", || {
        let options = Conv::new().stride(2).output_padding([0, 2]);
        _ = images().conv_transpose2d(Tensor::ones([4, 1, 2, 2]), options);
    }),
    ("output_padding", || _ = images().conv2d(Tensor::ones([1, 4, 2, 2]), Conv::new().output_padding(1))),
    ("option", || _ = Conv::new().stride([1, 0])),
];

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn properties() {
    check_jacobian(&[("conv2d", |draw| {
        let (stride, padding, groups) = (draw.size(1, 2), draw.size(0, 1), draw.size(1, 2));
        let options = Conv::new().stride(stride).padding(padding).groups(groups);
        let shapes = [vec![draw.size(1, 2), 2 * groups, draw.size(3, 6), 4], vec![3 * groups, 2, 2, 3]];
        case(shapes, move |x| x[0].conv2d(&x[1], options))
    })]);
}

#[test]
fn conv2d_is_adjoint_to_conv_transpose2d() {
    check_adjoint(|draw| {
        let (stride, padding) = (draw.size(1, 2), draw.size(0, 1));
        let weight = draw.normal(&[3, 2, 2, 3]);
        // A size that the stride covers without remainder.
        let shape = vec![draw.size(1, 2), 2, 2 - 2 * padding + 2 * stride, 3 - 2 * padding + stride];
        let (same, options) = (weight.clone(), Conv::new().stride(stride).padding(padding));
        let convolve = move |x: &Var<f64>| x.conv2d(&weight, options);
        pair(shape, convolve, move |y| y.conv_transpose2d(&same, options))
    });
}

#[test]
fn a_stride_far_beyond_the_image_is_one_as_long_as_it() {
    let gradients = |stride: usize| {
        let tape = Tape::new();
        let [x, weight] =
            [[1, 2, 4, 5], [3, 2, 2, 3]].map(|shape| tape.var(Tensor::randn(shape, &mut wengert::rng(0))));
        let y = x.conv2d(&weight, Conv::new().stride([1, stride]).padding(1));
        [y.square().sum().grad(&x), y.square().sum().grad(&weight)].map(|gradient| gradient.value().clone())
    };
    assert_eq!(gradients(1 << 40), gradients(7));
}

#[test]
fn kernel_elements_far_apart_take_no_memory() {
    let tape = Tape::new();
    let (x, far) = (tape.var(Tensor::randn([1, 2, 4, 5], &mut wengert::rng(0))), 1 << 20);
    let y = x.conv2d(Tensor::ones([2, 1, 3, 3]), Conv::new().padding(far).dilation(far).groups(2));
    assert_eq!(y.value(), x.value());
    assert_eq!(y.sum().grad(&x).value(), &Tensor::ones([1, 2, 4, 5]));
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
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

#[test]
fn a_tap_may_lie_on_the_padding_everywhere() {
    let tape = Tape::new_f64();
    let (x, weight) = (tape.var([[[[1.0], [2.0], [3.0]]]]), tape.var([[[[5.0, 7.0, 11.0]]]]));
    let y = x.conv2d(&weight, Conv::new().padding([0, 3]).dilation([1, 3]));
    assert_eq!(y.value(), &(x.value() * 7.0));
    assert_eq!(y.sum().grad(&weight).value(), &tensor![f64; [[[0.0, 6.0, 0.0]]]]);
    assert_eq!(y.sum().grad(&x).value(), &tensor![f64; [[[7.0], [7.0], [7.0]]]]);

    // The position of the tap would be past the end of the image.
    let (x, weight) = (tape.var(Tensor::ones([1, 2, 1, 1])), tape.var(Tensor::ones([3, 2, 3, 3])));
    let y = x.conv2d(&weight, Conv::new().padding(2).dilation(2));
    assert_eq!(y.value(), &Tensor::full([1, 3, 1, 1], 2.0));
    assert_eq!(y.sum().grad(&x).value(), &Tensor::full([1, 2, 1, 1], 3.0));
    assert_eq!(y.sum().grad(&weight).value().sum().item(), 6.0);
}

#[test]
fn groups_are_convolutions_side_by_side() {
    let mut rng = wengert::rng(2);
    for (x, weight) in [([2, 4, 5, 5], [6, 2, 2, 2]), ([4, 16, 9, 9], [18, 8, 3, 3])] {
        let tape = Tape::new_f64();
        let (x, weight) = (tape.var(Tensor::randn(x, &mut rng)), tape.var(Tensor::randn(weight, &mut rng)));
        let y = x.conv2d(&weight, Conv::new().groups(2));
        let (inputs, outputs) = (x.shape()[1] / 2, y.shape()[1] / 2);
        let parts = [0, 1].map(|group| {
            let part = x.slice(1, group * inputs..(group + 1) * inputs);
            part.conv2d(weight.slice(0, group * outputs..(group + 1) * outputs), Conv::new())
        });
        let side_by_side = Var::concat(&parts, 1);
        assert_close(y.value(), side_by_side.value());
        let [a, b] = [&y, &side_by_side].map(|y| y.square().sum().backward());
        assert_close(&a[&x], &b[&x]);
        assert_close(&a[&weight], &b[&weight]);
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

/// A convolution as the product of the weight and the columns of windows.
fn unfolded([x, weight, bias]: [&Var<f64>; 3], options: Conv<2>) -> Var<f64> {
    let [outputs, _, height, width] = *weight.shape() else { panic!("two axes") };
    let shape = x.conv2d(weight, options).shape().to_vec();
    let y = weight.flatten(1, -1).matmul(x.unfold2d([height, width], options));
    y.reshape(shape) + bias.reshape([outputs as isize, 1, 1])
}

/// The value, the gradients for a cotangent, and the derivatives of a function of those.
fn orders(f: impl Fn([&Var<f64>; 3]) -> Var<f64>, inputs: &[Tensor<f64>; 3]) -> Vec<Tensor<f64>> {
    let mut rng = wengert::rng(7);
    let tape = Tape::new_f64();
    let [x, weight, bias] = inputs.each_ref().map(|input| tape.var(input));
    let y = f([&x, &weight, &bias]);
    let cotangent = tape.var(Tensor::randn(y.shape(), &mut rng) * 0.1);
    let first = y.vjp(&cotangent, &[&x, &weight, &bias]);
    let first: Vec<Var<f64>> = first.into_iter().map(|gradient| gradient.expect("y depends on it")).collect();
    let sum = first[0].square().sum() * 0.01 + first[1].square().sum() * 0.001;
    let second = [&x, &weight, &cotangent].map(|input| sum.grad(input));
    [y].iter().chain(&first).chain(&second).map(|var| var.value().clone()).collect()
}

#[test]
fn every_algorithm_computes_the_products_of_the_unfolded_windows() {
    let mut rng = wengert::rng(4);
    let cases = [
        // Winograd's algorithm.
        ([3, 16, 9, 4], 32, [3, 3], Conv::new().padding(1)),
        ([3, 32, 9, 3], 16, [3, 3], Conv::new().padding([0, 2])),
        ([2, 16, 19, 22], 16, [3, 3], Conv::new().padding([2, 0])),
        ([16, 16, 2, 3], 16, [3, 3], Conv::new().padding(1)),
        // Few tiles, few channels, few windows.
        ([1, 16, 6, 6], 16, [3, 3], Conv::new().padding(1)),
        ([2, 3, 6, 6], 5, [3, 3], Conv::new().padding(1)),
        ([1, 9, 5, 5], 8, [5, 5], Conv::new().padding(2)),
        // Products without columns, with padding beyond the kernel too, and steps that are not made.
        ([4, 8, 9, 9], 9, [5, 5], Conv::new().padding(2)),
        ([3, 9, 11, 10], 8, [3, 2], Conv::new().padding([2, 0]).dilation([2, 3])),
        ([4, 8, 6, 6], 8, [2, 2], Conv::new().padding(3)),
        ([4, 8, 1, 80], 8, [1, 4], Conv::new().padding([0, 1]).stride([7, 1])),
        // An image that is a window, windows that are elements, and steps.
        ([3, 5, 4, 3], 7, [4, 3], Conv::new().stride(2)),
        ([2, 4, 5, 5], 3, [1, 1], Conv::new()),
        ([2, 8, 9, 10], 8, [3, 3], Conv::new().stride(2).padding(1)),
    ];
    for (shape, outputs, kernel, options) in cases {
        let weight = [outputs, shape[1], kernel[0], kernel[1]];
        let inputs = [shape.to_vec(), weight.to_vec(), vec![outputs]].map(|shape| Tensor::randn(shape, &mut rng));
        let convolved = orders(|[x, weight, bias]| x.conv2d_bias(weight, bias, options), &inputs);
        for (a, b) in convolved.iter().zip(&orders(|inputs| unfolded(inputs, options), &inputs)) {
            assert_close(a, b);
        }
    }
}

#[test]
fn kernels_of_3_by_3_are_as_accurate_as_sums_of_products() {
    let mut rng = wengert::rng(5);
    let (x, weight) = (Tensor::<f32>::randn([2, 64, 12, 12], &mut rng), Tensor::<f32>::randn([64, 64, 3, 3], &mut rng));
    let tape = Tape::inference();
    let y = tape.constant(&x).conv2d(&weight, Conv::new().padding(1));
    let double = Tape::<f64>::with_mode(Mode::Inference);
    let exact = double.constant(x.cast()).conv2d(weight.cast::<f64>(), Conv::new().padding(1));
    let error = (y.value().cast() - exact.value()).map(f64::abs).max().item();
    assert!(error <= 1e-6 * exact.value().map(f64::abs).max().item(), "an error of {error}");
}
