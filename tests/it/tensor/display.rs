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
