//! The table of the parameters of a model.

use crate::support::samples::SmallNetwork;
use wengert::prelude::*;

#[test]
fn summary_of_a_model() {
    insta::assert_snapshot!(SmallNetwork::new().summary().to_string());
}
