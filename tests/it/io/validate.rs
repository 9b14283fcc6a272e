//! Files that do not match a model.

use super::Network;
use crate::support::files::{bits, directory, message, mismatches};
use wengert::io::{self, Array, Integers, safetensors};
use wengert::prelude::*;

#[test]
fn all_that_does_not_fit_is_listed_and_nothing_changes() {
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    let arrays: [(&str, Array); 6] = [
        ("linear.weight", tensor![[1.0, 2.0, 3.0]].into()),
        ("linear.bias", tensor![f64; 1.0, 2.0].into()),
        ("norm.weight", tensor![1.0, 2.0].into()),
        ("norm.running_mean", Integers::new(vec![1 << 24, (1 << 24) + 1], [2]).into()),
        ("norm.num_batches_tracked", Integers::new(vec![i64::MAX], ()).into()),
        ("linear.scale", tensor![1.0].into()),
    ];
    safetensors::write(arrays, &path).unwrap();
    let mut model: Network = Network::new(0);
    let before = bits(&model);
    let result = io::load(&mut model, &path);
    let text = message(io::load(&mut model, &path));
    let expected = [
        "linear.weight: expected F32 [2, 3], found F32 [1, 3]",
        "linear.bias: expected F32 [2], found F64 [2]",
        "norm.bias: expected F32 [2], found nothing",
        "norm.running_mean: expected F32 [2], found I64 [2] with values that F32 cannot represent",
        "norm.running_var: expected F32 [2], found nothing",
        "norm.num_batches_tracked: expected F32 [], found I64 [] with values that F32 cannot represent",
        "linear.scale: expected nothing, found F32 [1]",
    ];
    assert_eq!(text, format!("does not match:\n  {}", expected.join("\n  ")));
    assert_eq!(mismatches(result), expected);
    assert_eq!(bits(&model), before);
}
