//! Sequential containers.

use super::{linear, paths};
use wengert::prelude::*;

#[test]
fn a_sequence_is_cloned_shared_and_trained() {
    let mut model = Sequential::new().append(linear(2, 8)).append(Tanh).append_fn(|x| x * 2.0).append(linear(8, 1));
    assert_eq!(format!("{model:?}"), r#"Sequential ["Linear", "Tanh", "Lambda", "Linear"]"#);
    assert_eq!(paths(&model), ["0.weight", "0.bias", "3.weight", "3.bias"]);
    assert_eq!((model.len(), model.iter().count()), (4, 4));
    let before = model.clone();
    let x = [[0.1, 0.2], [0.3, -0.4]];
    let mut optimizer = Sgd::new(0.01);
    let loss = |model: &Sequential| {
        let tape = Tape::training(&mut wengert::rng(0));
        (model.forward(&tape.constant(x)) - 1.0).square().sum()
    };
    let first = loss(&model).item();
    for _ in 0..20 {
        let gradients = loss(&model).backward();
        optimizer.step(&mut model, &gradients);
    }
    assert!(loss(&model).item() < first / 2.0);
    assert_eq!(loss(&before).item(), first);
    let shared = std::sync::Arc::new(before);
    let there = shared.clone();
    let value = std::thread::spawn(move || there.forward(&Tape::inference().constant(x)).value().clone());
    assert_eq!(value.join().unwrap(), *shared.forward(&Tape::inference().constant(x)).value());
}
