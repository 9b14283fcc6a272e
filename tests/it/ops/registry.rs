//! Coverage: the gradient rows record every registered operation.

use super::rows;
use std::collections::BTreeSet;

#[test]
fn every_operation_has_a_row_and_every_row_is_of_operations() {
    let registered: BTreeSet<String> = wengert::instances::operations().into_iter().map(String::from).collect();
    assert!(registered.len() >= 70, "only {} operations are registered", registered.len());
    let recorded: BTreeSet<String> = rows().iter().flat_map(|row| row.operations()).map(|(name, _)| name).collect();
    let missing: Vec<_> = registered.difference(&recorded).collect();
    assert!(missing.is_empty(), "no row records the operations {missing:?}");
    let unknown: Vec<_> = recorded.difference(&registered).collect();
    assert!(unknown.is_empty(), "the operations {unknown:?} of rows are not registered");
}

#[test]
fn every_operation_is_attributed_to_the_callers_line() {
    for row in rows() {
        for (name, at) in row.operations() {
            assert!(at.starts_with("tests/it/ops/"), "{}: {name} is attributed to {at}", row.name);
        }
    }
}
