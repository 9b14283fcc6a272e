//! Coverage: the gradient rows record every registered operation.

use super::{rows, rows_by_topic};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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

/// The families of `tests/golden` whose cases are of a topic.
fn families(topic: &str) -> &'static [&'static str] {
    match topic {
        "attention" => &["attention"],
        "elementwise" => &["activation", "clip", "elementwise_binary", "elementwise_unary"],
        "linalg" => &["linalg"],
        "loss" => &["loss"],
        "matmul" => &["matmul"],
        "norm" => &["norm", "norm_running"],
        "recurrent" => &["rnn"],
        "reduce" => &["reduce"],
        "shape" => &["embedding", "shape"],
        "window" => &["conv"],
        _ => &[],
    }
}

/// What is compared how often, by topic: the table of `docs/testing.md`.
fn coverage() -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = |family: &&str| {
        let text = fs::read_to_string(tests.join(format!("golden/{family}.json"))).unwrap();
        text.matches("\n  {\"name\"").count()
    };
    let mut table = String::from(
        "| topic | operations | rows | cases to third order | cases of PyTorch |\n|---|---|---|---|---|\n",
    );
    for (topic, rows) in rows_by_topic() {
        let operations: BTreeSet<String> = rows.iter().flat_map(|row| row.operations()).map(|(name, _)| name).collect();
        let cases: usize = rows.iter().map(|row| row.count()).sum();
        let golden: usize = families(topic).iter().map(golden).sum();
        table += &format!("| {topic} | {} | {} | {cases} | {golden} |\n", operations.len(), rows.len());
    }
    table
}

#[test]
fn the_page_on_testing_has_the_counts() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/testing.md")).unwrap();
    let table = coverage();
    assert!(page.contains(&table), "docs/testing.md should have\n{table}");
}
