//! `docs/operations.md` lists every method of `Var`. The names that it links to exist, or the documentation would not build.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Macros that declare methods of `Var`, and the block that has others.
const BLOCKS: [&str; 4] = ["impl<T: Float> Var<T> {", "functions! {", "elementwise! {", "broadcasting! {"];

/// The name that a line within such a block declares: `pub fn exp(`, `fn var(x)` in `functions!`, `exp: Exp {` in the others.
fn declared(block: &str, line: &str) -> Option<String> {
    let line = line.strip_prefix("    ")?;
    let rest = match block {
        "impl<T: Float> Var<T> {" => line.strip_prefix("pub fn ")?,
        "functions! {" => line.strip_prefix("fn ")?,
        _ => line,
    };
    let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect();
    let rest = &rest[name.len()..];
    (!name.is_empty() && (rest.starts_with(['(', '<']) || rest.starts_with(": "))).then_some(name)
}

/// Adds the methods of `Var` that the sources below a folder declare.
fn collect(folder: &Path, methods: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, methods);
            continue;
        }
        let mut block = None;
        for line in fs::read_to_string(&path).unwrap().lines() {
            block = BLOCKS.into_iter().find(|start| *start == line).or(block.filter(|_| !line.starts_with('}')));
            methods.extend(block.and_then(|block| declared(block, line)));
        }
    }
}

#[test]
fn every_method_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut methods = BTreeSet::new();
    for folder in ["ops", "autograd", "transform"] {
        collect(&root.join("src").join(folder), &mut methods);
    }
    assert!(methods.len() > 180, "only {} methods were found", methods.len());
    let page = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let missing: Vec<_> = methods.iter().filter(|name| !page.contains(&format!("(crate::Var::{name})"))).collect();
    assert!(missing.is_empty(), "docs/operations.md does not list {missing:?}");
}
