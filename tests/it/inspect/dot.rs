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
