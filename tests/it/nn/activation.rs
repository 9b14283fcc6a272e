//! Activation functions as layers.

use wengert::prelude::*;

#[test]
fn every_activation_is_the_method_of_its_name() {
    let x = Tape::new().constant([[-2.0, -0.5, 0.0, 1.5]]);
    let pairs: [(&dyn Layer, Var); 18] = [
        (&Relu, x.relu()),
        (&LeakyRelu(0.1), x.leaky_relu(0.1)),
        (&Relu6, x.relu6()),
        (&Elu(1.5), x.elu(1.5)),
        (&Selu, x.selu()),
        (&Gelu, x.gelu()),
        (&Silu, x.silu()),
        (&Mish, x.mish()),
        (&Hardswish, x.hardswish()),
        (&Sigmoid, x.sigmoid()),
        (&LogSigmoid, x.log_sigmoid()),
        (&Hardsigmoid, x.hardsigmoid()),
        (&Tanh, x.tanh()),
        (&Softplus, x.softplus()),
        (&Softmax(1), x.softmax(1)),
        (&LogSoftmax(-1), x.log_softmax(-1)),
        (&Flatten, x.flatten(1, -1)),
        (&Identity, x.clone()),
    ];
    for (layer, expected) in pairs {
        assert_eq!(layer.forward(&x).value(), expected.value(), "{}", layer.kind());
        assert!(layer.parameters().is_empty());
    }
}
