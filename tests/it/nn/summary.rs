//! The parameter table of a model.

use crate::support::samples::Net;
use wengert::prelude::*;

#[test]
fn summary_of_a_model() {
    insta::assert_snapshot!(Net::new().summary().to_string());
}
