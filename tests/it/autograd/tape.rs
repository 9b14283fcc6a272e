//! Buffers updated by a forward pass.

use crate::support::panics::{Panic, message_of, messages};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[("buffer_shape", || Tape::new().update_buffer(&Param::new(1.0), 0.9, matrix()))];

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
}

#[test]
fn a_tape_of_either_precision_has_the_same_constructors() {
    let tape = Tape::<f64>::training(&mut wengert::rng(0));
    assert!(tape.is_training());
    assert_eq!(tape.var(0.1).item(), 0.1f64);
    assert!(Tape::<f64>::inference().var(1.0).tape().is_empty());
    assert_eq!(Tape::new().var(0.1).item(), 0.1f32);
    assert_eq!(Tape::<f64>::default().mode(), Mode::Differentiable);
}

#[test]
fn the_generator_is_the_same_after_a_panic() {
    let x = Tensor::ones([100]);
    let dropped = |fail: bool| {
        let tape = Tape::training(&mut wengert::rng(0));
        let fails = std::rc::Rc::new(std::cell::Cell::new(false));
        let inner = fails.clone();
        let y = tape.var(&x).recompute(move |x| if inner.get() { panic!("{}", 1) } else { x.dropout(0.5) });
        fails.set(fail);
        if fail {
            message_of(|| _ = y.sum().gradients());
        }
        tape.constant(&x).dropout(0.5).value().clone()
    };
    assert_eq!(dropped(true), dropped(false));
}
