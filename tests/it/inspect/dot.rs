//! Tapes as Graphviz graphs.

use crate::support::samples::Net;
use wengert::prelude::*;

#[test]
fn dot_of_a_small_network() {
    let (tape, net) = (Tape::new(), Net::new());
    let _loss = net.loss(&tape);
    tape.name_parameters(&net);
    insta::assert_snapshot!(tape.to_dot());
}

#[test]
fn operations_that_a_backward_pass_records_have_a_color() {
    let x = Tape::new().var(2.0);
    let colored = || x.tape().to_dot().matches("#d55e00").count();
    let y = x.square().exp();
    let forward = x.tape().len();
    assert_eq!(colored(), 0);
    let gradient = y.grad(&x);
    let recorded = x.tape().len() - forward;
    assert!(recorded > 0);
    _ = gradient.exp();
    assert_eq!(colored(), recorded);
}
