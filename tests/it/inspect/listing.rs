//! Tape listings.

use crate::support::samples::Net;
use wengert::prelude::*;

#[test]
fn tape_of_a_small_network() {
    let tape = Tape::new();
    let _loss = Net::new().loss(&tape);
    insta::assert_snapshot!(tape.to_string());
}

#[test]
fn tape_of_a_small_network_with_names() {
    let (tape, net) = (Tape::new(), Net::new());
    let _loss = net.loss(&tape);
    tape.name_parameters(&net);
    insta::assert_snapshot!(tape.to_string());
}

#[test]
fn tape_of_a_second_derivative() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x.powi(3) - 4.0 * &x + 5.0;
    let dy = y.grad(&x);
    let d2y = dy.grad(&x);
    insta::assert_snapshot!(format!("y {y}  dy/dx {dy}  d2y/dx2 {d2y}\n\n{tape}"));
}
