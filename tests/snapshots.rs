//! Text that people read: the gradients of a small network, the printed and the drawn tape, the summary of a model.

use wengert::prelude::*;

/// A network that a reader can follow by hand: two inputs, three hidden units, two classes.
struct Net {
    hidden: Linear,
    gain: Param,
    output: Linear,
}
module!(Net { hidden, gain, output });

impl Net {
    fn new() -> Self {
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

    fn loss(&self, tape: &Tape) -> Var {
        let x = tape.constant(tensor![[1.0, 2.0], [-1.0, 0.5]]);
        let h = self.hidden.forward(&x).relu();
        let h = (&h * &self.gain + 0.1).sigmoid();
        self.output.forward(&h).softmax_cross_entropy(&[0, 1])
    }
}

#[test]
fn gradients_of_a_small_network() {
    let net = Net::new();
    let loss = net.loss(&Tape::new());
    let mut text = format!("loss {:.6}\n", loss.item());
    let gradients = loss.backward();
    for (path, param) in net.parameters() {
        text += &format!("\n{path}\n{:.6}\n", gradients[param]);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn tape_of_a_small_network() {
    let tape = Tape::new();
    let _loss = Net::new().loss(&tape);
    insta::assert_snapshot!(tape.to_string());
}

#[test]
fn drawings_of_a_small_network() {
    let (tape, net) = (Tape::new(), Net::new());
    let _loss = net.loss(&tape);
    tape.name_parameters(&net);
    insta::assert_snapshot!("listing", tape.to_string());
    insta::assert_snapshot!("dot", tape.to_dot());
    insta::assert_snapshot!("svg", tape.to_svg());
}

#[test]
fn tape_of_a_second_derivative() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x.powi(3) - 4.0 * &x + 5.0;
    let dy = y.grad(&x);
    let d2y = dy.grad(&x);
    insta::assert_snapshot!(format!("y {y}  dy/dx {dy}  d2y/dx2 {d2y}\n\n{tape}"));
}

#[test]
fn summary_of_a_model() {
    insta::assert_snapshot!(Net::new().summary().to_string());
}

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
