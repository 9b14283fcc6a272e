//! Reads the source of the operations and fails if one of them has no row in the table.

use crate::table;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The text of every file under `src/ops`.
fn sources() -> Vec<String> {
    fn collect(directory: &Path, sources: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut sources = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops"), &mut sources);
    sources
}

/// The identifier that a text begins with.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The names of the operations in a source: those that are spelled out, and those that a macro takes from the method.
fn operations(source: &str) -> Vec<&str> {
    let spelled_out = source.lines().filter_map(|line| line.trim().strip_prefix("const NAME: &'static str = \""));
    let mut names: Vec<_> = spelled_out.map(identifier).collect();
    let mut declares = false;
    for line in source.lines() {
        let macros = ["elementwise! {", "scalar_operation! {", "broadcasting! {", "broadcasting_op! {"];
        declares = (declares && line != "}") || macros.contains(&line);
        let Some((method, rest)) = line.trim().split_once(": ").filter(|_| declares) else { continue };
        if identifier(method) == method && rest[identifier(rest).len()..].starts_with(" {") {
            names.push(method);
        }
    }
    names
}

/// The public methods of variables in a source, and other public functions that give a variable.
fn methods(source: &str) -> Vec<&str> {
    let mut methods = Vec::new();
    for block in source.split("\nimpl").skip(1) {
        let of_variables = block.starts_with("<T: Float> Var<T> {");
        for function in block.split("pub fn ").skip(1) {
            let head = function.split('{').next().unwrap_or_default();
            if of_variables && head.contains("&self") || head.contains("-> Var<T>") {
                methods.push(identifier(function));
            }
        }
    }
    for block in source.split("\nfunctions! {").skip(1) {
        let declared = block.split("\n}").next().unwrap_or_default();
        methods.extend(declared.split("\n    fn ").skip(1).map(identifier));
    }
    methods
}

#[test]
fn every_operation_has_a_row() {
    let covered: BTreeSet<String> = table().iter().flat_map(|row| row.nodes()).map(|(name, _)| name).collect();
    let sources = sources();
    let missing: Vec<_> =
        sources.iter().flat_map(|source| operations(source)).filter(|name| !covered.contains(*name)).collect();
    assert!(missing.is_empty(), "no row records the operations {missing:?}");
}

#[test]
fn every_method_has_a_row() {
    let table = table();
    let sources = sources();
    let missing: Vec<_> = sources
        .iter()
        .flat_map(|source| methods(source))
        .filter(|name| table.iter().all(|row| row.name != *name))
        .collect();
    assert!(missing.is_empty(), "no row is named after the methods {missing:?}");
}

#[test]
fn every_node_is_attributed_to_the_callers_line() {
    for row in table() {
        for (name, at) in row.nodes() {
            assert!(at.contains("tests/gradients/"), "{}: {name} is attributed to {at}", row.name);
        }
    }
}

#[test]
fn the_source_is_read_rightly() {
    let source = "
elementwise! {
    /// Sine: the derivative { is } its shift.
    sin: Sin { x => x.sin(); input: |gy, x| gy * x.cos() }
    long: Long {
        x => x;
        input: |gy, x| gy
    }
}
struct Other { field: Type { } }
    const NAME: &'static str = \"other_op\";
impl<T: Float> Var<T> {
    pub fn method(
        &self,
    ) -> Var<T> { }
    pub fn several(&self) -> Several { }
    pub(super) fn hidden(&self) -> Var<T> { }
}
impl Options {
    pub fn setting(self) -> Self { }
    pub fn loss<T: Float>(&self) -> Var<T> { }
}
";
    assert_eq!(operations(source), ["other_op", "sin", "long"]);
    assert_eq!(methods(source), ["method", "several", "loss"]);
    let found: usize = sources().iter().map(|source| operations(source).len()).sum();
    assert!(found >= 70, "only {found} operations were found");
}
