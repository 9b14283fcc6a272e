//! Tape listings, drawings and anomaly detection.

mod anomaly;
mod dot;
mod groups;
mod listing;
mod notebook;
mod svg;

use crate::support::panics::Panic;
use wengert::prelude::*;

pub fn panics() -> Vec<Panic> {
    anomaly::PANICS.to_vec()
}

struct Block {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
}
module!(Block { first, norm, second });

impl Block {
    fn forward(&self, x: &Var) -> Var {
        let h = self.norm.forward(&self.first.forward(x)).relu();
        (self.second.forward(&h) + x).relu()
    }
}

/// A custom recurrent cell that reads its parameters itself.
struct Cell {
    input: Param,
    state: Param,
}
module!(Cell { input, state });

impl Cell {
    fn forward(&self, x: &Var, h: &Var) -> Var {
        (x.matmul(&self.input).softplus() + h.matmul(&self.state)).tanh()
    }
}

struct Net {
    blocks: Vec<Block>,
    cell: Cell,
    scale: Param,
    head: Linear,
}
module!(Net { blocks, cell, scale, head });

impl Net {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let mut layer = |inputs, outputs| Linear::new(inputs, outputs, Init::Xavier, &mut rng);
        let mut block = || Block { first: layer(3, 4), norm: BatchNorm::new(4), second: layer(4, 3) };
        let blocks = vec![block(), block()];
        let cell = Cell { input: Param::new(Tensor::ones([3, 3])), state: Param::new(Tensor::ones([3, 3])) };
        Net { blocks, cell, scale: Param::new(2.0), head: layer(3, 2) }
    }

    fn loss(&self, x: &Var) -> Var {
        let h = self.blocks.iter().fold(x.clone(), |h, block| block.forward(&h));
        let h = self.cell.forward(x, &self.cell.forward(x, &h));
        self.head.forward(&(h * &self.scale)).square().sum()
    }
}

/// The tape of a training step, and of the gradient with respect to the batch.
fn tape(named: bool) -> Tape {
    let (net, tape) = (Net::new(), Tape::training(&mut wengert::rng(0)));
    if named {
        tape.name_parameters(&net);
    }
    let x = tape.var(Tensor::randn([5, 3], &mut wengert::rng(1)));
    _ = net.loss(&x).grad(&x);
    tape
}

#[test]
fn bytes_are_counted_once_and_released() {
    let tape = Tape::new();
    let x = tape.var(Tensor::ones([8]));
    let y = (x.square() * &x + x.reshape([8]).exp()).sum();
    // The square and the product save x, and the product x²; exp saves its value.
    assert_eq!(tape.saved_bytes(), 3 * 32);
    assert_eq!(tape.live_nodes(), tape.len());
    _ = y.backward();
    assert_eq!((tape.saved_bytes(), tape.live_nodes()), (0, 1));
}
