//! Traversal of the parameters of a model.

use super::{linear, paths};
use std::collections::BTreeMap;
use wengert::prelude::*;

struct Raw {
    r#type: Linear,
    rate: f64,
}
module!(Raw { r#type; rate });

#[test]
fn raw_identifiers_and_maps() {
    let raw = Raw { r#type: linear(1, 1), rate: 1.0 };
    assert_eq!((paths(&raw)[0].as_str(), raw.rate), ("type.weight", 1.0));
    let heads: BTreeMap<String, Linear> = ["b", "a"].map(|key| (key.to_string(), linear(1, 1))).into();
    assert_eq!(paths(&heads), ["a.weight", "a.bias", "b.weight", "b.bias"]);
    let slices = &[linear(1, 1), linear(1, 1)][..];
    assert_eq!(paths(slices).len(), 4);
}

#[test]
fn parameters_are_changed_by_name() {
    let mut model: Box<dyn Module> = Box::new((linear(2, 2), BatchNorm::new(2)));
    for (path, param) in model.parameters_mut() {
        if path.ends_with("weight") {
            *param.value_mut() = param.value().map(|w| w.clamp(-0.1, 0.1));
        }
    }
    assert!(model.parameters()[0].1.value().as_slice().iter().all(|w| w.abs() <= 0.1));
    assert_eq!(model.parameters_mut().len(), 7);
}
