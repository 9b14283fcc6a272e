//! Values and models shared by many tests.

use wengert::prelude::*;

/// A matrix of ones.
pub fn matrix() -> Tensor {
    Tensor::ones([2, 3])
}

/// A matrix of ones, as a variable on a new tape.
pub fn variable() -> Var {
    Tape::new().var(matrix())
}

/// Two images of four channels, as a variable on a new tape.
pub fn images() -> Var {
    Tape::new().var(Tensor::ones([2, 4, 5, 6]))
}

/// The gradient of the sum of a parameter.
pub fn gradients_of(weight: &Param) -> Gradients {
    (Tape::new().constant(1.0) * weight).sum().backward()
}

/// A network small enough to follow by hand: two inputs, three hidden units, two classes.
pub struct Net {
    hidden: Linear,
    gain: Param,
    output: Linear,
}
wengert::module!(Net { hidden, gain, output });

impl Net {
    pub fn new() -> Self {
        let mut rng = wengert::rng(0);
        let mut net = Net {
            hidden: Linear::new(2, 3, Init::Constant(0.0), &mut rng),
            gain: Param::new([1.5, 0.5, -1.0]),
            output: Linear::new(3, 2, Init::Constant(0.0), &mut rng),
        };
        *net.hidden.weight.value_mut() = tensor![[0.5, -0.25], [0.75, 1.0], [-1.0, 0.5]];
        *net.output.weight.value_mut() = tensor![[1.0, -0.5, 0.25], [-0.75, 0.5, 1.0]];
        net
    }

    pub fn loss(&self, tape: &Tape) -> Var {
        let x = tape.constant(tensor![[1.0, 2.0], [-1.0, 0.5]]);
        let h = self.hidden.forward(&x).relu();
        let h = (&h * &self.gain + 0.1).sigmoid();
        self.output.forward(&h).softmax_cross_entropy(&[0, 1])
    }
}
