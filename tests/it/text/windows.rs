//! Windows of texts.

use crate::support::draw::Draw;
use crate::support::panics::{Panic, messages};
use wengert::prelude::*;
use wengert::text::{WindowBatch, Windows};

pub const PANICS: &[Panic] = &[
    ("option", || _ = Windows::new([0; 5].as_slice(), 0)),
    ("window_length", || _ = Windows::new(&vec![0; 5], 5)),
    ("option", || _ = Windows::new(vec![0; 5], 4).sample(0, &mut wengert::rng(0))),
    ("option", || _ = Windows::new(vec![0; 5], 4).streams(0)),
    ("stream_count", || _ = Windows::new(vec![0; 5], 4).streams(5)),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

/// Tokens that are their own positions.
fn numbered(count: usize) -> Vec<usize> {
    (0..count).collect()
}

#[test]
fn random_windows_cover_every_position_and_none_beyond_the_end() {
    let tokens = numbered(12);
    let windows = Windows::new(&tokens, 4);
    let mut rng = wengert::rng(3);
    let mut counts = [0; 8];
    for _ in 0..1000 {
        let WindowBatch { inputs, targets } = windows.sample(8, &mut rng);
        assert_eq!((inputs.shape(), targets.len()), (&[8, 4][..], 32));
        for (x, y) in inputs.as_slice().chunks(4).zip(targets.chunks(4)) {
            assert!((0..4).all(|t| x[t] == x[0] + t && y[t] == x[t] + 1));
            counts[x[0]] += 1;
        }
    }
    // χ² with 7 degrees of freedom exceeds 24.3 with probability 0.001.
    let statistic: f64 = counts.map(|count| (f64::from(count) - 1000.0).powi(2) / 1000.0).iter().sum();
    assert!(statistic < 24.3, "{counts:?}");
    let whole = Windows::new(&tokens[..5], 4).sample(2, &mut rng);
    assert_eq!(whole.targets, [1, 2, 3, 4, 1, 2, 3, 4]);
}

#[test]
fn the_same_generator_gives_the_same_windows() {
    let tokens = numbered(100);
    let sample = |seed| Windows::new(&tokens, 7).sample(5, &mut wengert::rng(seed));
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
}

#[test]
fn streams_cover_the_text_and_each_window_continues_the_one_before() {
    for seed in 0..200 {
        let mut draw = Draw::new(seed);
        let (count, length, streams) = (draw.size(2, 60), draw.size(1, 9), draw.size(1, 7));
        if count <= length || count <= streams {
            continue;
        }
        let tokens = numbered(count);
        let windows = Windows::new(&tokens, length);
        let mut parts = vec![Vec::<usize>::new(); streams];
        let batches = Vec::from_iter(windows.streams(streams));
        assert_eq!(batches.len(), windows.streams(streams).len());
        for batch in &batches {
            let [n, t] = *batch.inputs.shape() else { panic!("not a matrix") };
            assert!(n == streams && (1..=length).contains(&t));
            assert!(batch.inputs.as_slice().iter().zip(&batch.targets).all(|(x, y)| x + 1 == *y));
            parts.iter_mut().zip(batch.inputs.as_slice().chunks(t)).for_each(|(part, x)| part.extend(x));
        }
        let covered = (count - 1) / streams * streams;
        assert_eq!(parts.concat(), numbered(covered), "draw {seed}");
        let full = windows.streams(streams).drop_last();
        assert_eq!(full.len(), (count - 1) / streams / length);
        assert!(full.zip(&batches).all(|(a, b)| a == *b && a.inputs.shape()[1] == length));
        let from = draw.size(0, batches.len());
        let mut resumed = windows.streams(streams).starting_at(from);
        assert_eq!(Vec::from_iter(resumed.by_ref()), batches[from..], "draw {seed}");
        assert_eq!(resumed.position(), batches.len());
    }
}

#[test]
fn windows_with_time_first_are_the_transpose() {
    let windows = Windows::new(numbered(50), 4);
    let batches = windows.streams(3).zip(windows.clone().time_first().streams(3).collect::<Vec<_>>());
    let matrix =
        |values: &[usize], shape: &[usize]| Tensor::<f32>::from_vec(values.iter().map(|&x| x as f32).collect(), shape);
    for (batch, other) in batches {
        let [n, t] = *batch.inputs.shape() else { panic!("not a matrix") };
        assert_eq!(other.inputs.shape(), [t, n]);
        for (a, b) in [(batch.inputs.as_slice(), other.inputs.as_slice()), (&batch.targets, &other.targets)] {
            assert_eq!(matrix(a, &[n, t]).transpose(0, 1), matrix(b, &[t, n]));
        }
    }
}

#[test]
fn batches_are_what_an_embedding_and_a_loss_take() {
    let batch = Windows::new(numbered(10), 3).sample(2, &mut wengert::rng(0));
    let table: Embedding = Embedding::new(10, 10, Init::Normal(1.0), &mut wengert::rng(0));
    let tape = Tape::new();
    let scores = table.forward(&tape, &batch.inputs);
    assert_eq!(scores.shape(), [2, 3, 10]);
    let by_hand = |k: usize| scores.value().reshape([6, 10]).log_softmax(-1)[[k, batch.targets[k]]];
    let expected = -(0..6).map(by_hand).sum::<f32>() / 6.0;
    let loss = scores.reshape([6, 10]).softmax_cross_entropy(&batch.targets).item();
    assert!((loss - expected).abs() < 1e-5);
}
