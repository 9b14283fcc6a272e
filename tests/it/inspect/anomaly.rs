//! Anomaly detection: the first value that is not finite.

use crate::support::panics::{Panic, message_of, messages, panic_of};
use crate::support::samples::matrix;
use wengert::prelude::*;

pub const PANICS: &[Panic] = &[
    ("anomaly anomaly_report", || {
        let (model, tape) = (layers(), Tape::new().detect_anomaly());
        tape.name_parameters(&model);
        let h = model[1].forward(&model[0].forward(&tape.constant(matrix())));
        _ = h.ln() * tape.var([1.0, f32::INFINITY]);
    }),
    ("anomaly anomaly_report", || _ = Tape::inference().detect_anomaly().constant([f32::NAN, 1.0, 2.0]) * 2.0),
    ("anomaly anomaly_report", || {
        let tape = Tape::new().detect_anomaly();
        _ = tape.var([4.0, 0.0]).sqrt().sum().backward();
    }),
    ("anomaly anomaly_report", || {
        let x = Tape::new_f64().detect_anomaly().var([1.0, 0.0]);
        _ = (&x * Param::new([1.0, 0.0])).powf(1.5).sum().grad(&x).sum().grad(&x);
    }),
    ("anomaly anomaly_report", || {
        let x = Tape::new().detect_anomaly().var(1.0);
        _ = (&x * f64::from(f32::MAX) + &x * f64::from(f32::MAX) * 0.5 - 1.0).hook(|gradient| gradient).backward();
    }),
    ("anomaly anomaly_report", || {
        let x = Tape::new().detect_anomaly().var(0.0);
        _ = (&x * f64::from(f32::MAX) + &x * f64::from(f32::MAX)).backward();
    }),
];

fn layers() -> [Linear; 2] {
    let layer = |weight| Linear::new(3, 3, Init::Constant(weight), &mut wengert::rng(0));
    let mut layers = [layer(1.0), layer(-1.0)];
    *layers[1].weight.value_mut() = Tensor::full([2, 3], -1.0);
    *layers[1].bias.as_mut().expect("it has one").value_mut() = tensor![0.0, 9.0];
    layers
}

#[test]
fn panics() {
    insta::assert_snapshot!(messages(PANICS));
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
    let message = message_of(|| _ = log_of_softmax(Tape::new().detect_anomaly()));
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
    assert!(finite.is_none());
}

#[test]
fn what_a_rule_computes_on_the_way_is_no_anomaly() {
    // ‖x‖ has gradient 0 at 0, although its rule computes 0/0 on the way.
    let x = Tape::new().detect_anomaly().var([0.0, 0.0]);
    assert_eq!(x.norm_over(2.0, 0).backward()[&x], tensor![0.0, 0.0]);
}
