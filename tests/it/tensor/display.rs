//! Display of tensors.

use wengert::prelude::*;

#[test]
fn display_of_tensors() {
    let tensors = [
        tensor![[1.0, -2.5], [100.0, 0.125]],
        Tensor::scalar(3.0),
        tensor![1e-6, 1.0, 1e10],
        tensor![f32::NAN, f32::INFINITY, -1.0],
        Tensor::zeros([0, 3]),
        Tensor::arange(0.0, 2000.0, 1.0).reshape([2, 10, 100]),
        tensor![1.0, 3.0] / 3.0,
    ];
    let text: Vec<String> = tensors.iter().map(|tensor| format!("{:?}\n{tensor}", tensor.shape())).collect();
    insta::assert_snapshot!(text.join("\n\n"));
}

#[test]
fn an_empty_tensor_is_printed_at_once_whatever_its_shape() {
    assert_eq!(Tensor::<f32>::zeros([5, 40, 40, 40, 1, 0]).to_string(), "[]");
    assert_eq!(Tensor::<f32>::zeros([1usize << 40, 0]).to_string(), "[]");
}

#[test]
fn what_is_not_finite_is_aligned_as_by_numpy() {
    for (tensor, text) in [
        (tensor![f32::NAN], "[nan]"),
        (tensor![f32::NAN, f32::INFINITY], "[nan inf]"),
        (tensor![1.0, f32::NAN], "[ 1. nan]"),
        (tensor![1.5, f32::NAN, f32::NEG_INFINITY], "[ 1.5  nan -inf]"),
        (tensor![2.25, f32::NEG_INFINITY], "[2.25 -inf]"),
        (tensor![1e-10, f32::NAN], "[1.e-10    nan]"),
        (tensor![[1.5, f32::NAN], [f32::INFINITY, -2.0]], "[[ 1.5  nan]\n [ inf -2. ]]"),
        (Tensor::scalar(f32::NAN), "nan"),
    ] {
        assert_eq!(tensor.to_string(), text);
    }
}
