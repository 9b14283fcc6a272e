//! Recurrent layers.

use super::paths;
use crate::support::files::{directory, fixture};
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;

fn lstm() -> Lstm {
    Lstm::new(3, 2, &mut wengert::rng(0))
}

fn sequences() -> Var {
    Tape::new().var(Tensor::ones([4, 5, 3]))
}

pub const PANICS: &[Panic] = &[
    ("not_a_batch", || _ = GruCell::new(3, 2, &mut wengert::rng(0)).forward(&sequences(), None)),
    ("not_sequences", || _ = lstm().forward(&Tape::new().var(Tensor::ones([4, 3])))),
    ("recurrent_inputs", || _ = lstm().forward(&Tape::new().var(Tensor::ones([4, 5, 2])))),
    ("initial_state", || {
        let x = sequences();
        let h = x.constant(Tensor::zeros([5, 2]));
        _ = lstm().forward_state(&x, Some(&LstmState { h: h.clone(), c: h }));
    }),
    ("sequence_lengths", || _ = lstm().forward_padded(&sequences(), &[4, 4, 4, 5, 1], None)),
    ("option", || _ = Rnn::<f32>::new(3, 0, &mut wengert::rng(0))),
    ("option", || _ = Recurrent::new().layers(0)),
    ("probability", || _ = Recurrent::new().dropout(1.0)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn parameters_have_the_names_and_bounds_of_pytorch() {
    let mut rng = wengert::rng(0);
    let layer: Gru = Gru::with_options(3, 4, Recurrent::new().layers(2).bidirectional(), &mut rng);
    let names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
    let of_cell = |suffix: &'static str| names.map(move |name| format!("{name}_{suffix}"));
    let expected: Vec<String> = ["l0", "l0_reverse", "l1", "l1_reverse"].into_iter().flat_map(of_cell).collect();
    assert_eq!(paths(&layer), expected);
    assert_eq!(layer.cells[2].weight_ih.shape(), [12, 8], "the outputs of both directions");
    assert!(layer.parameters().iter().all(|(_, p)| p.value().iter().all(|w| w.abs() <= 0.5)));
    assert!(layer.parameters().iter().all(|(_, p)| p.value().iter().any(|w| w.abs() > 0.3)));
    let layer: Rnn = Rnn::with_options(3, 4, Recurrent::new().without_bias(), &mut rng);
    assert_eq!(paths(&layer), ["weight_ih_l0", "weight_hh_l0"]);
    assert_eq!(paths(&LstmCell::<f32>::new(3, 4, &mut rng)), names);
    let mut model = (layer, Linear::new(4, 1, Init::He, &mut rng));
    let gradients = model.forward(&sequences()).sum().backward();
    Sgd::new(0.1).step(&mut model, &gradients);
    assert_eq!(model.summary().to_string().lines().nth(1).map(|line| line.contains("Rnn")), Some(true));
}

/// A state dict of PyTorch, with an input and what PyTorch computes from it.
struct Computed {
    lstm: Lstm,
    x: Param,
    y: Param,
    h: Param,
    c: Param,
}
module!(Computed { lstm, x, y, h, c });

#[test]
fn a_state_dict_of_pytorch_is_loaded_and_saved() {
    let empty = |shape: &[usize]| Param::new(Tensor::zeros(shape));
    let options = Recurrent::new().layers(2).bidirectional().batch_first();
    let lstm = Lstm::with_options(3, 2, options, &mut wengert::rng(0));
    let [h, c] = [(); 2].map(|()| empty(&[4, 3, 2]));
    let mut computed = Computed { lstm, x: empty(&[3, 4, 3]), y: empty(&[3, 4, 4]), h, c };
    wengert::io::load(&mut computed, fixture("lstm.safetensors")).unwrap();
    let tape = Tape::inference();
    let (y, last) = computed.lstm.forward_padded(&tape.param(&computed.x), &[2, 4, 1], None);
    for (got, want) in [(y, &computed.y), (last.h, &computed.h), (last.c, &computed.c)] {
        assert!((got.value() - want.value()).map(f32::abs).max().item() < 1e-6);
    }
    let directory = directory();
    let path = directory.path().join("saved.safetensors");
    wengert::io::save(&computed, &path).unwrap();
    let [saved, original] =
        [path, fixture("lstm.safetensors")].map(|path| wengert::io::safetensors::read(path).unwrap());
    assert_eq!(saved, original);
}

#[test]
fn a_layer_is_its_cells_step_by_step() {
    let mut rng = wengert::rng(3);
    let x: Tensor<f64> = Tensor::randn([5, 3, 4], &mut rng);
    let tape = Tape::new_f64();
    let x = tape.constant(&x);
    let same = |a: &Var<f64>, b: &Var<f64>| assert!((a.value() - b.value()).map(f64::abs).max().item() < 1e-14);
    let lstm = Lstm::<f64>::with_options(4, 6, Recurrent::new().layers(2), &mut rng);
    let (y, last) = lstm.forward_state(&x, None);
    let mut states = [None, None];
    for t in 0..5 {
        let mut input = x.select(0, t);
        for (cell, state) in lstm.cells.iter().zip(&mut states) {
            let next = cell.forward(&input, state.as_ref());
            input = next.h.clone();
            *state = Some(next);
        }
        same(&y.select(0, t), &input);
    }
    let states = states.map(Option::unwrap);
    same(&last.h, &Var::stack(&states.each_ref().map(|state| &state.h), 0));
    same(&last.c, &Var::stack(&states.each_ref().map(|state| &state.c), 0));
    let rnn = Rnn::<f64>::new(4, 6, &mut rng).relu();
    let mut h = rnn.cells[0].forward(&x.select(0, 0), None);
    for t in 1..5 {
        h = rnn.cells[0].forward(&x.select(0, t), Some(&h));
    }
    same(&rnn.forward(&x).select(0, -1), &h);
}

#[test]
fn padding_is_neither_read_nor_written() {
    let mut rng = wengert::rng(4);
    let lengths = [3, 6, 0, 1, 6];
    let whole: Tensor<f64> = Tensor::randn([6, 5, 2], &mut rng);
    let mut padded = whole.clone();
    for (k, &length) in lengths.iter().enumerate() {
        (length * 10..60).filter(|at| at / 2 % 5 == k).for_each(|at| padded.as_mut_slice()[at] = f64::NAN);
    }
    let options = Recurrent::new().layers(2).bidirectional();
    let layer = Gru::<f64>::with_options(2, 3, options, &mut rng);
    let initial: Tensor<f64> = Tensor::randn([4, 5, 3], &mut rng);
    let tape = Tape::new_f64();
    let (x, h) = (tape.var(&padded), tape.var(&initial));
    let (y, last) = layer.forward_padded(&x, &lengths, Some(&h));
    let mut batch_first = Gru::with_options(2, 3, options.batch_first(), &mut rng);
    batch_first.cells = layer.cells.clone();
    let (transposed, _) = batch_first.forward_padded(&x.transpose(0, 1), &lengths, Some(&h));
    assert_eq!(transposed.transpose(0, 1).value(), y.value());
    let gradients = (y.square().sum() + last.square().sum()).gradients();
    for (k, &length) in lengths.iter().enumerate() {
        let alone = (
            tape.var(whole.slice(0, ..length as isize).slice(1, k as isize..k as isize + 1)),
            tape.var(initial.slice(1, k as isize..k as isize + 1)),
        );
        let (own, own_last) = layer.forward_state(&alone.0, Some(&alone.1));
        let close = |a: &Tensor<f64>, b: &Tensor<f64>| {
            assert_eq!(a.len(), b.len());
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "sequence {k}: {a} and {b}");
        };
        let (real, rest) = (y.value().select(1, k), y.value().select(1, k).slice(0, length as isize..));
        close(&real.slice(0, ..length as isize), own.value());
        assert!(rest.iter().all(|&y| y == 0.0));
        close(&last.value().select(1, k), own_last.value());
        let own = (own.square().sum() + own_last.square().sum()).gradients();
        close(&gradients[&x].select(1, k).slice(0, ..length as isize), &own[&alone.0]);
        assert!(gradients[&x].select(1, k).slice(0, length as isize..).iter().all(|&g| g == 0.0));
        close(&gradients[&h].select(1, k), &own[&alone.1]);
    }
}

#[test]
fn dropout_is_between_layers_alone() {
    let mut rng = wengert::rng(5);
    let x: Tensor = Tensor::randn([4, 3, 2], &mut rng);
    let on = |layers: usize, tape: Tape, rng: &mut _| {
        let layer = Gru::with_options(2, 50, Recurrent::new().layers(layers).dropout(0.5), rng);
        let y = layer.forward(&tape.constant(&x)).value().clone();
        (y == layer.forward(&tape.constant(&x)).value().clone(), y.iter().any(|&y| y == 0.0))
    };
    assert_eq!(on(1, Tape::training(&mut wengert::rng(0)), &mut rng), (true, false));
    assert_eq!(on(2, Tape::new(), &mut rng), (true, false));
    assert_eq!(on(2, Tape::training(&mut wengert::rng(0)), &mut rng), (false, false));
}

#[test]
fn a_gradient_stops_at_a_detached_state() {
    let layer = Lstm::<f64>::new(1, 2, &mut wengert::rng(6));
    let tape = Tape::new_f64();
    let x = [1.0, -0.5].map(|x| tape.var(Tensor::full([3, 1, 1], x)));
    let (_, state) = layer.forward_state(&x[0], None);
    for (state, flows) in [(state.clone(), true), (state.detach(), false), (state.on(&tape), false)] {
        let (y, _) = layer.forward_state(&x[1], Some(&state));
        let gradients = y.sum().gradients();
        assert_eq!((gradients.get(&x[0]).is_some(), gradients.get(&x[1]).is_some()), (flows, true));
    }
}

#[test]
fn batches_without_sequences_or_steps_have_gradients() {
    let layer = Gru::with_options(3, 2, Recurrent::new().layers(2), &mut wengert::rng(7));
    for shape in [[0, 2, 3], [4, 0, 3]] {
        let x = Tape::new().var(Tensor::ones(shape));
        let h = x.constant(Tensor::ones([2, shape[1], 2]));
        let (y, last) = layer.forward_state(&x, Some(&h));
        assert_eq!((y.shape(), last.value()), (&[shape[0], shape[1], 2][..], h.value()));
        let gradients = (y.sum() + last.sum()).gradients();
        assert_eq!(gradients[&x].shape(), shape);
        assert_eq!(gradients[&layer.cells[1].weight_hh], Tensor::zeros([6, 2]));
    }
}
