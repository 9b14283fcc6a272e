//! Parameters.

use wengert::prelude::*;

#[test]
fn a_parameter_is_printed_as_its_value() {
    let weight: Param = Param::new([1.0, 2.0 / 3.0]);
    assert_eq!(format!("{weight:.2}"), format!("{:.2}", weight.value()));
    assert_eq!(format!("{weight:?}"), format!("Param {:?}", weight.value()));
}
