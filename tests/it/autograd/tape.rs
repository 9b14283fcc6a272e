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

#[test]
fn a_long_chain_of_tapes_that_keep_each_other_is_dropped() {
    let chain = || {
        let mut last = Tape::new().var(1.0);
        for _ in 0..100_000 {
            let next = Tape::new().var(1.0);
            let kept = last.clone();
            last = next.hook(move |gradient| {
                let _ = &kept;
                gradient
            });
        }
        drop(last);
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(chain).unwrap();
    thread.join().unwrap();
    assert_eq!(Tape::new().var(2.0).square().item(), 4.0);
}

#[test]
fn a_panic_in_a_hook_or_under_a_binding_leaves_nothing_behind() {
    let x = Tape::new().var(2.0);
    let first = std::cell::Cell::new(true);
    let y = x.square().hook(move |gradient| if first.replace(false) { panic!("{}", "once") } else { gradient });
    assert_eq!(message_of(|| _ = y.gradients()), "once");
    assert_eq!(y.gradients()[&x].item(), 4.0);

    let (param, tape) = (Param::new(3.0), Tape::new());
    let value = tape.var(10.0);
    message_of(|| tape.with_bound([(&param, &value)], || panic!("{}", "under the binding")));
    assert_eq!(tape.param(&param).item(), 3.0);
}
