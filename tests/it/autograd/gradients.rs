//! The gradients returned by a backward pass.

use crate::support::panics::{Panic, messages};
use crate::support::samples::{Net, gradients_of, variable};
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("no_gradient", || {
        let x = variable();
        let unused = x.tape().var(1.0);
        _ = x.sum().backward()[&unused];
    }),
    ("no_gradient", || _ = variable().sum().backward()[&Param::new(1.0)]),
    ("not_retained", || {
        let h = variable().exp();
        _ = h.sum().backward()[&h];
    }),
    ("does_not_broadcast_to", || {
        let mut weight = Param::new([1.0, 2.0]);
        let mut gradients = gradients_of(&weight);
        *weight.value_mut() = Tensor::ones([3]);
        gradients += gradients_of(&weight);
    }),
];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
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
fn gradients_of_several_batches_add_up() {
    let weight = Param::<f64>::new([1.0, 2.0]);
    let batch = |x: [f64; 2]| (Tape::new_f64().constant(x) * &weight).sum().backward();
    let mut gradients = batch([1.0, 10.0]);
    gradients += batch([2.0, 20.0]);
    assert_eq!(gradients[&weight], tensor![f64; 3.0, 30.0]);
}

#[test]
fn a_gradient_of_one_batch_only_is_taken_over() {
    let (a, b) = (Param::<f64>::new(1.0), Param::<f64>::new(2.0));
    let mut gradients = (Tape::new_f64().constant(3.0) * &a).backward();
    gradients += (Tape::new_f64().constant(5.0) * &b).backward();
    assert_eq!((gradients[&a].item(), gradients[&b].item()), (3.0, 5.0));
}

#[test]
fn retained_gradients_are_those_of_every_use_and_count_for_nothing_else() {
    let weight = Param::new([1.0, 2.0]);
    let tape = Tape::new();
    let h = tape.param(&weight).exp();
    let (twice, elsewhere) = (&h * 2.0, h.square());
    [&h, &elsewhere, &h].into_iter().for_each(Var::retain_grad);
    let loss = (twice.sin() + &h).sum();
    let gradients = loss.gradients();
    assert_eq!(gradients[&h], (tape.constant(h.value() * 2.0).cos() * 2.0 + 1.0).value().clone());
    assert!(gradients.get(&elsewhere).is_none() && gradients.get(&twice).is_none());
    let mut without = tape_free_gradients(&weight);
    assert_eq!(gradients.norm(), without.norm());
    assert_eq!(gradients[&weight], without[&weight]);
    without += gradients;
    assert_eq!(without.len(), 2);
}

/// The gradients of the same loss without retained variables.
fn tape_free_gradients(weight: &Param) -> Gradients {
    let h = Tape::new().param(weight).exp();
    ((&h * 2.0).sin() + &h).sum().backward()
}
