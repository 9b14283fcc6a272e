//! Every operation against central differences, and every way that a rule can be wrong.

mod arrangement;
mod convolution;
mod coverage;
mod einsum;
mod elementwise;
mod linear_algebra;
mod losses;
mod moves;
mod normalization;
mod regressions;
mod row;
mod structure;
mod windows;
mod wrong;

use row::Row;

/// A row for every operation and every method that is composed of operations.
fn table() -> Vec<Row> {
    [
        elementwise::smooth(),
        elementwise::kinked(),
        elementwise::binary(),
        elementwise::operands(),
        structure::shapes(),
        arrangement::parts(),
        arrangement::lookups(),
        arrangement::matrices(),
        arrangement::joins(),
        arrangement::scans(),
        structure::reductions(),
        normalization::table(),
        structure::products(),
        windows::convolutions(),
        windows::pooling(),
        linear_algebra::table(),
        einsum::table(),
        losses::table(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_rule_agrees_with_differences() {
    let failures: Vec<String> = table().iter().filter_map(|row| row.check().err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
