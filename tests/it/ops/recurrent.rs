//! Recurrent layers as operations: all steps are one node, with two rules that must agree.

use crate::support::gradients::{Row, check_gradients, row};
use wengert::prelude::*;

/// The first input is a batch of sequences; the initial state follows, then the weights of the layer.
fn run<L: Module<f64>>(x: &[Var<f64>], layer: &L, states: usize, f: impl FnOnce(&L) -> Vec<Var<f64>>) -> Var<f64> {
    let parameters = layer.parameters();
    let pairs = parameters.iter().map(|(_, param)| *param).zip(&x[1 + states..]);
    let outputs = x[0].tape().with_bound(pairs, || f(layer));
    Var::concat(&outputs.iter().map(|y| y.reshape([-1])).collect::<Vec<_>>(), 0)
}

pub fn rows() -> Vec<Row> {
    let mut rng = wengert::rng(0);
    let lstm = Lstm::<f64>::new(2, 3, &mut rng);
    let lstm = move |x: &[Var<f64>]| {
        run(x, &lstm, 2, |layer| {
            let (y, last) = layer.forward_state(&x[0], Some(&LstmState { h: x[1].clone(), c: x[2].clone() }));
            vec![y, last.h, last.c]
        })
    };
    let reverse = Lstm::<f64>::with_options(1, 2, Recurrent::new().bidirectional().without_bias(), &mut rng);
    let reverse = move |x: &[Var<f64>]| {
        run(x, &reverse, 0, |layer| {
            let (y, last) = layer.forward_padded(&x[0], &[1, 3, 2], None);
            vec![y, last.h, last.c]
        })
    };
    let gru = Gru::<f64>::with_options(2, 2, Recurrent::new().bidirectional(), &mut rng);
    let gru = move |x: &[Var<f64>]| {
        run(x, &gru, 1, |layer| {
            let (y, last) = layer.forward_padded(&x[0], &[2, 3], Some(&x[1]));
            vec![y, last]
        })
    };
    let plain = Gru::<f64>::with_options(2, 2, Recurrent::new().without_bias(), &mut rng);
    let plain = move |x: &[Var<f64>]| run(x, &plain, 0, |layer| vec![layer.forward(&x[0])]);
    let rnn = |layer: Rnn<f64>| {
        move |x: &[Var<f64>]| {
            run(x, &layer, 1, |layer| {
                let (y, last) = layer.forward_padded(&x[0], &[2, 0], Some(&x[1]));
                vec![y, last]
            })
        }
    };
    let [tanh, relu] = [(); 2].map(|()| Rnn::new(3, 2, &mut rng));
    let of_rnn: &[&[&[usize]]] = &[&[&[2, 2, 3], &[1, 2, 2], &[2, 3], &[2, 2], &[2], &[2]]];
    vec![
        row("lstm", &[&[&[2, 2, 2], &[1, 2, 3], &[1, 2, 3], &[12, 2], &[12, 3], &[12], &[12]]], lstm),
        row("lstm in both directions", &[&[&[3, 3, 1], &[8, 1], &[8, 2], &[8, 1], &[8, 2]]], reverse),
        row(
            "gru in both directions",
            &[&[&[3, 2, 2], &[2, 2, 2], &[6, 2], &[6, 2], &[6], &[6], &[6, 2], &[6, 2], &[6], &[6]]],
            gru,
        ),
        row("gru without biases", &[&[&[2, 1, 2], &[6, 2], &[6, 2]]], plain),
        row("rnn", of_rnn, rnn(tanh)),
        row("rnn with relu", of_rnn, rnn(relu.relu())),
    ]
}

#[test]
fn gradients() {
    check_gradients(&rows());
}

#[test]
fn the_fused_rule_is_the_composed_one_where_sequences_are_shared_among_threads() {
    let mut rng = wengert::rng(1);
    let lengths: Vec<usize> = (0..37).map(|k| 5 + k * 7 % 20).collect();
    let x: Tensor<f64> = Tensor::randn([24, 37, 8], &mut rng);
    let options = Recurrent::new().bidirectional();
    let check = |layer: &dyn Module<f64>, f: &dyn Fn(&Var<f64>) -> Var<f64>| {
        let tape = Tape::new_f64();
        let x = tape.var(&x);
        let parameters: Vec<Var<f64>> = layer.parameters().into_iter().map(|(_, param)| tape.param(param)).collect();
        let y = f(&x);
        let loss = (&y * tape.constant(Tensor::randn(y.shape(), &mut wengert::rng(2)))).sum();
        let fused = loss.gradients();
        for target in parameters.iter().chain([&x]) {
            let composed = loss.grad(target);
            let error = (composed.value() - &fused[target]).map(f64::abs).max().item();
            assert!(error <= 1e-12 * composed.value().map(f64::abs).max().item(), "{}: {error}", layer.kind());
        }
    };
    let (lstm, gru) = (Lstm::with_options(8, 24, options, &mut rng), Gru::with_options(8, 24, options, &mut rng));
    check(&lstm, &|x| lstm.forward_padded(x, &lengths, None).0);
    check(&gru, &|x| gru.forward_padded(x, &lengths, None).0);
    let rnn = Rnn::with_options(8, 48, options, &mut rng);
    check(&rnn, &|x| rnn.forward_padded(x, &lengths, None).0);
}

#[test]
fn a_gradient_can_be_differentiated_by_a_weight_that_it_was_not_taken_by() {
    let layer = Gru::<f64>::new(2, 2, &mut wengert::rng(0));
    let x: Tensor<f64> = Tensor::randn([3, 1, 2], &mut wengert::rng(1));
    let penalty = |layer: &Gru<f64>| {
        let tape = Tape::new_f64();
        let x = tape.var(&x);
        layer.forward(&x).sum().grad(&x).square().sum()
    };
    let gradient = penalty(&layer).backward()[&layer.cells[0].weight_hh].clone();
    let mut moved = layer.clone();
    let mut along = |step: f64| {
        *moved.cells[0].weight_hh.value_mut() = layer.cells[0].weight_hh.value() + step * &gradient;
        penalty(&moved).item()
    };
    let slope = (along(1e-5) - along(-1e-5)) / 2e-5;
    let expected = gradient.map(|g| g * g).sum().item();
    assert!((slope / expected - 1.0).abs() < 1e-6, "{slope} and {expected}");
}
