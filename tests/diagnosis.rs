//! Finding trouble: anomalies, gradients of intermediate results, hooks, and parameters without a gradient.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::{Rc, Weak};
use wengert::autograd::MissingGradient;
use wengert::prelude::*;

struct Net {
    stem: Linear,
    branches: Vec<Linear>,
    norm: BatchNorm,
    head: Linear,
}
module!(Net { stem, branches, norm, head });

impl Net {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let mut layer = || Linear::new(3, 3, Init::Xavier, &mut rng);
        Net {
            stem: layer(),
            branches: vec![layer(), layer(), layer(), layer()],
            norm: BatchNorm::new(3),
            head: layer(),
        }
    }
}

fn batch() -> Tensor {
    Tensor::randn([4, 3], &mut wengert::rng(1))
}

/// What a piece of code panics with, if it does.
fn panic_of(code: impl FnOnce()) -> Option<String> {
    let payload = panic::catch_unwind(AssertUnwindSafe(code)).err()?;
    Some(payload.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn the_table_of_missing_gradients_says_why() {
    let net = Net::new();
    let tape = Tape::training(&mut wengert::rng(0));
    let [used, detached, unused, bound] = [0, 1, 2, 3].map(|k| &net.branches[k]);
    let weight = tape.var(Tensor::ones([3, 3]));
    tape.bind(&bound.weight, &weight);
    let h = net.stem.forward(&tape.constant(batch()));
    let cut = detached.forward(&h).relu().detach();
    _ = unused.forward(&h).tanh();
    _ = tape.param(&net.head.weight);
    let gradients = (used.forward(&h) + cut + bound.forward(&h)).square().sum().backward();
    assert!(gradients.get(&weight).is_some());
    insta::assert_snapshot!(gradients.missing(&net).to_string());

    let only_of_it = gradients.missing(used);
    assert!(only_of_it.is_empty());
    assert_eq!(only_of_it.to_string(), "every parameter has a gradient\n");
    assert_eq!(gradients.why_missing(&net.norm.running_mean), Some(MissingGradient::Buffer));
}

#[test]
fn accumulated_gradients_miss_what_both_miss() {
    let (a, b, c) = (Param::new(1.0), Param::new(2.0), Param::new(3.0));
    let gradients_of = |used: &Param, unused: &[&Param]| {
        let tape = Tape::new();
        unused.iter().for_each(|param| _ = tape.param(param).exp());
        tape.param(used).exp().backward()
    };
    let mut gradients = gradients_of(&a, &[&b, &c]);
    gradients += gradients_of(&b, &[&a, &c]);
    assert_eq!((gradients.why_missing(&a), gradients.why_missing(&b)), (None, None));
    assert!(matches!(gradients.why_missing(&c), Some(MissingGradient::Unused { operation: "exp", .. })));
}

#[test]
fn a_rule_that_passes_nothing_on_is_told_from_an_unused_parameter() {
    #[derive(Debug)]
    struct Opaque;
    impl Op<f32, 1> for Opaque {
        const NAME: &'static str = "opaque";
        const SAVE: Save = Save::Nothing;
        fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
            x.clone()
        }
        fn backward(&self, _: &Saved<f32, 1>, _: &Var) -> [Option<Var>; 1] {
            [None]
        }
    }
    let weight = Param::new(1.0);
    let gradients = Tape::new().param(&weight).exp().apply(Opaque).backward();
    assert_eq!(gradients.why_missing(&weight), Some(MissingGradient::NotPropagated));
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

/// The gradients of the same loss with nothing retained.
fn tape_free_gradients(weight: &Param) -> Gradients {
    let h = Tape::new().param(weight).exp();
    ((&h * 2.0).sin() + &h).sum().backward()
}

#[test]
fn a_hook_sees_and_replaces_gradients_of_any_order() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let x = Tape::new_f64().var(0.5);
    let notes = Rc::clone(&seen);
    let y = x.sin().hook(move |gradient| {
        notes.borrow_mut().push(gradient.value().item());
        &gradient * &gradient
    });
    // The hook squares: with g = y², dy/dx = (2y)² cos x for y = sin x.
    let dy = y.square().grad(&x);
    let (sin, cos) = 0.5f64.sin_cos();
    assert!((dy.item() - 4.0 * sin * sin * cos).abs() < 1e-15);
    let d2y = dy.grad(&x).item();
    // d/dx of 4y² cos x, where what flows back through y meets the hook once more: 8y cos x becomes its square.
    let through_y = (8.0 * sin * cos).powi(2) * cos;
    assert!((d2y - (through_y - 4.0 * sin * sin * sin)).abs() < 1e-14, "{d2y}");
    assert_eq!(seen.borrow().len(), 2);

    let reversed = x.exp().hook(|gradient| -gradient);
    assert_eq!(reversed.grad(&x).item(), -0.5f64.exp());
}

#[test]
fn infinities_that_were_asked_for_are_no_anomaly() {
    let mask = tensor![[0.0, 1.0], [0.0, 0.0]];
    let x = Tape::new().detect_anomaly().var([[1.0, 2.0], [3.0, 4.0]]);
    let filled = x.masked_fill(&mask, f64::NEG_INFINITY).softmax(1);
    let added = (&x + tensor![[0.0, f32::NEG_INFINITY], [0.0, 0.0]]).softmax(1);
    assert_eq!(filled.value(), added.value());
    assert_eq!((filled * added).sum().backward()[&x].as_slice()[..2], [0.0, 0.0]);
}

#[test]
fn an_anomaly_is_found_where_it_arises() {
    let log_of_softmax = |tape: Tape| {
        let x = tape.var([[200.0, 0.0, 0.0]]);
        let loss = -x.softmax(1).ln().mean();
        loss.backward()[&x].as_slice().iter().any(|g| g.is_nan())
    };
    assert!(log_of_softmax(Tape::new()), "without the search it goes on");
    let message = panic_of(|| _ = log_of_softmax(Tape::new().detect_anomaly())).expect("with it, it does not");
    assert!(
        message.starts_with(
            "ln: its value is the first on this tape that is not finite: shape [1, 3], 0.0 to 0.0, 2 infinities (ln at"
        ),
        "{message}"
    );
    let finite = panic_of(|| {
        let x = Tape::training(&mut wengert::rng(0)).detect_anomaly().var([1.0, 2.0]);
        _ = x.ln().sum().backward();
    });
    assert_eq!(finite, None);
}

#[test]
fn what_a_rule_computes_on_the_way_is_no_anomaly() {
    // ‖x‖ has the gradient 0 at 0, which its rule finds by way of 0/0.
    let x = Tape::new().detect_anomaly().var([0.0, 0.0]);
    assert_eq!(x.norm_over(2.0, 0).backward()[&x], tensor![0.0, 0.0]);
}

#[test]
fn hooks_and_retained_gradients_end_with_the_tape() {
    let hooked = |released: bool| -> Weak<()> {
        let token = Rc::new(());
        let (inside, weak) = (Rc::clone(&token), Rc::downgrade(&token));
        let x = Tape::new().var(1.0);
        let h = x.exp().hook(move |gradient| {
            let _ = &inside;
            gradient
        });
        h.retain_grad();
        if released {
            h.clone().backward();
        }
        weak
    };
    assert!([true, false].map(hooked).iter().all(|hook| hook.upgrade().is_none()));
}
