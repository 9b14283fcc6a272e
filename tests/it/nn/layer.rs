//! Layers: tuples, lists, options and boxes of layers, and custom ones.

use super::{linear, paths};
use wengert::nn::recompute;
use wengert::prelude::*;

#[test]
fn a_tuple_applies_its_layers_in_turn() {
    let (first, last) = (linear(3, 4), linear(4, 2));
    let model = (first.clone(), Relu, Dropout::new(0.5), last.clone());
    let x = Tape::inference().constant(Tensor::randn([5, 3], &mut wengert::rng(1)));
    assert_eq!(model.forward(&x).value(), last.forward(&first.forward(&x).relu()).value());
    assert_eq!(paths(&model), ["0.weight", "0.bias", "3.weight", "3.bias"]);
}

#[test]
fn a_tuple_may_have_twelve_elements() {
    let l = || linear(2, 2);
    let model = (l(), Relu, l(), Tanh, l(), Sigmoid, l(), Gelu, l(), Identity, l(), Softmax(-1));
    assert_eq!(model.forward(&Tape::new().constant([[1.0, 2.0]])).shape(), [1, 2]);
    assert_eq!(paths(&model)[11], "10.bias");
    assert!(model.summary().to_string().contains("\n10     Linear"), "{}", model.summary());
}

#[test]
fn pooling_and_closures_are_layers() {
    let mut rng = wengert::rng(0);
    let model = (
        Conv2d::new(1, 2, 3, Init::He, &mut rng).padding(1),
        MaxPool2d::new(2),
        Lambda(|x: &Var| x * 2.0),
        Flatten,
        linear(8, 3),
    );
    assert_eq!(model.forward(&Tape::new().constant(Tensor::ones([5, 1, 4, 4]))).shape(), [5, 3]);
    assert_eq!(paths(&model), ["0.weight", "0.bias", "4.weight", "4.bias"]);
}

#[test]
fn layers_nest_and_are_recomputed() {
    let block = (linear(3, 3), Relu, Some(linear(3, 3)), None::<Linear>, vec![linear(3, 3)], [Identity; 2]);
    let model = Sequential::new().append(block.clone()).append(block);
    let x = Tensor::randn([2, 3], &mut wengert::rng(5));
    let gradients = |tape: &Tape, again: bool| {
        let x = tape.constant(&x);
        let y = if again { recompute(&model, &x, Sequential::forward) } else { model.forward(&x) };
        y.square().sum().backward()
    };
    let (kept, again) = (gradients(&Tape::new(), false), gradients(&Tape::new(), true));
    assert_eq!(paths(&model)[5], "0.4.0.bias");
    for (_, param) in model.parameters() {
        assert_eq!(kept[param], again[param]);
    }
}

/// A layer defined in another crate.
#[derive(Clone, Debug)]
struct Scale {
    factor: Param,
}
module!(Scale { factor });

impl Layer for Scale {
    fn forward(&self, x: &Var) -> Var {
        x * &self.factor
    }
}

#[test]
fn boxed_layers_are_modules() {
    let mut model: Vec<Box<dyn Layer>> = vec![Box::new(Scale { factor: Param::new(2.0) }), Box::new(Relu)];
    let gradients = model.forward(&Tape::new().constant([3.0])).sum().backward();
    Sgd::new(1.0).step(&mut model, &gradients);
    assert_eq!(model.parameters()[0].1.value().item(), -1.0);
    assert_eq!(paths(&model), ["0.factor"]);
}

#[test]
fn both_precisions() {
    let model = (Linear::<f64>::new(2, 2, Init::He, &mut wengert::rng(0)), Relu, MaxPool1d::new(2));
    assert_eq!(model.forward(&Tape::new_f64().constant([[[1.0, 2.0]]])).shape(), [1, 1, 1]);
}

#[test]
fn without_a_bias_a_layer_is_as_with_one_of_zeros() {
    let rng = || wengert::rng(1);
    let x = Tape::inference().constant(Tensor::randn([2, 3, 5, 5], &mut rng()));
    let pairs: [[Box<dyn Layer>; 2]; 4] = [
        [Box::new(LayerNorm::new([5])), Box::new(LayerNorm::without_bias([5]))],
        [Box::new(InstanceNorm::affine(3)), Box::new(InstanceNorm::new())],
        [
            Box::new(Conv2d::new(3, 4, 3, Init::He, &mut rng())),
            Box::new(Conv2d::without_bias(3, 4, 3, Init::He, &mut rng())),
        ],
        [
            Box::new(ConvTranspose2d::new(3, 4, 3, Init::He, &mut rng()).stride(2).output_padding(1)),
            Box::new(ConvTranspose2d::without_bias(3, 4, 3, Init::He, &mut rng()).stride(2).output_padding(1)),
        ],
    ];
    for [with, without] in pairs {
        assert_eq!(with.forward(&x).value(), without.forward(&x).value());
        assert!(paths(&with).len() > paths(&without).len());
    }
}
