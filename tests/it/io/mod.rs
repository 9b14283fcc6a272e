//! Files of models, checkpoints and arrays: round trips, files from Python, and malformed files.

mod array;
mod checkpoint;
mod load;
mod npy;
mod npz;
pub mod onnx;
mod pytorch;
mod robustness;
mod safetensors;
mod validate;

use crate::support::allocator::largest_block;
use crate::support::files::{bits, directory, fixture, mismatches, names};
use std::time::{Duration, Instant};
use wengert::io::{self, Array};
use wengert::prelude::*;

pub struct Network<T: Float = f32> {
    pub linear: Linear<T>,
    pub norm: BatchNorm<T>,
}
module!(Network<T> { linear, norm });

impl<T: Float> Network<T> {
    pub fn new(seed: u64) -> Self {
        Network { linear: Linear::new(3, 2, Init::He, &mut wengert::rng(seed)), norm: BatchNorm::new(2) }
    }
}

/// Runs a function without hanging and with blocks of at most 1 MiB: more than any file here requires, since a file
/// buffer is about 64 KiB.
fn within_bounds<X>(what: impl FnOnce() -> X) -> X {
    let start = Instant::now();
    let (result, largest) = largest_block(what);
    assert!(largest < 1 << 20, "a block of {largest} bytes");
    assert!(start.elapsed() < Duration::from_secs(20));
    result
}

/// A tensor of values that every format represents exactly.
fn eighths() -> Tensor {
    Tensor::arange(0.0, 6.0, 1.0).reshape([2, 3]) / 8.0
}

#[test]
fn a_model_comes_back_with_its_buffers() {
    let directory = directory();
    let path = directory.path().join("model.safetensors");
    let mut model: Network = Network::new(0);
    let odd = [f32::NAN, f32::NEG_INFINITY];
    *model.norm.running_mean.value_mut() = Tensor::from_slice(&odd, [2]);
    *model.norm.bias.value_mut() = Tensor::from_slice(&[-0.0, f32::from_bits(1)], [2]);
    io::save(&model, &path).unwrap();
    let mut other: Network = Network::new(1);
    assert_ne!(bits(&other), bits(&model));
    io::load(&mut other, &path).unwrap();
    assert_eq!(bits(&other), bits(&model));
    assert_eq!(names(directory.path()), ["model.safetensors"]);
    io::save(&other as &dyn Module, &path).unwrap();
    io::load(&mut other as &mut dyn Module, &path).unwrap();
}

#[test]
fn double_precision_comes_back_and_single_precision_widens() {
    let directory = directory();
    let [single, double] = ["f32", "f64"].map(|name| directory.path().join(name));
    let model: Network<f64> = Network::new(0);
    io::save(&model, &double).unwrap();
    let mut other: Network<f64> = Network::new(1);
    io::load(&mut other, &double).unwrap();
    assert_eq!(other.linear.weight.value(), model.linear.weight.value());

    let narrow: Network = Network::new(2);
    io::save(&narrow, &single).unwrap();
    io::load(&mut other, &single).unwrap();
    let widened = Array::from(narrow.linear.weight.value()).tensor::<f64>();
    assert_eq!(other.linear.weight.value(), &widened);

    let mut narrow = narrow;
    let refused = mismatches(io::load(&mut narrow, &double));
    assert_eq!(refused.len(), 7);
    assert_eq!(refused[0], "linear.weight: expected F32 [2, 3], found F64 [2, 3]");
}

#[test]
fn a_model_of_python_is_loaded_with_its_counter() {
    let mut model: Network = Network::new(0);
    io::load(&mut model, fixture("model.safetensors")).unwrap();
    assert_eq!(model.linear.weight.value(), &tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(model.norm.running_var.value(), &tensor![15.0, 16.0]);
    assert_eq!(model.norm.num_batches_tracked.value().item(), 17.0);
}
