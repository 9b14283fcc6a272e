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
