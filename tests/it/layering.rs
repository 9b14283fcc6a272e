//! The layers of the crate: imports only point down, and only the kernels contain unsafe code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the lowest up; the modules of one layer are independent of each other.
const LAYERS: [&[&str]; 12] = [
    &["error", "generator"],
    &["panics"],
    &["kernel", "file"],
    &["tensor"],
    &["autograd"],
    &["ops", "inspect", "transform"],
    &["nn"],
    &["optim"],
    &["data", "metrics", "text"],
    &["io"],
    &["training", "distributed"],
    &["guide", "instances"],
];

/// The index of a module's layer, from the lowest up.
fn height(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// A source file.
struct Source {
    /// The path below `src`.
    path: String,
    /// The top-level module that contains it.
    module: String,
    /// The depth of its module below the root of the crate.
    depth: usize,
    /// The text without comments.
    code: String,
}

impl Source {
    /// The source at a path below `src`.
    fn new(path: &Path, text: &str) -> Source {
        let path_of_module = path.with_extension("");
        let mut names: Vec<&str> = path_of_module.iter().filter_map(|name| name.to_str()).collect();
        names.retain(|name| *name != "mod");
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        Source {
            path: path.display().to_string(),
            module: names[0].into(),
            depth: names.len(),
            code: code.collect::<Vec<_>>().join("\n"),
        }
    }

    /// The first name of each path from the root of the crate, and whether the path is part of code for users.
    fn imports(&self) -> Vec<(&str, bool)> {
        let mut imports = Vec::new();
        let from_below = "super::".repeat(self.depth);
        for root in ["crate::", &from_below] {
            for (at, _) in self.code.match_indices(root) {
                let exported = self.code[..at].ends_with('$');
                let names = first_names(&self.code[at + root.len()..]);
                // In a test module `super::*` refers to its own file; `crate::*` is never allowed.
                let named = names.into_iter().filter(|name| root == "crate::" || !name.is_empty());
                imports.extend(named.map(|name| (name, exported)));
            }
        }
        imports
    }

    /// The imports from higher layers, and the names at the root of the crate that are not modules.
    fn violations(&self, macros: &BTreeMap<String, String>) -> Vec<String> {
        let Source { path, module: own, .. } = self;
        let verdict = |(name, exported): (&str, bool)| {
            let module = macros.get(name).map_or(name, String::as_str);
            match height(module) {
                Some(other) if Some(other) < height(own) || module == own => None,
                Some(_) => Some(format!("{path}: {own} imports {module} from above")),
                // A macro for users may name the exports of the crate.
                None if exported => None,
                None => Some(format!("{path}: name the module that crate::{name} is in")),
            }
        };
        self.imports().into_iter().filter_map(verdict).collect()
    }

    fn has_word(&self, word: &str) -> bool {
        self.code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|other| other == word)
    }
}

/// The identifier at the start of a text.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The first names of the paths at the start of a text: of a single one, or of each in braces.
fn first_names(text: &str) -> Vec<&str> {
    let Some(group) = text.strip_prefix('{') else { return vec![identifier(text)] };
    let (mut starts, mut depth) = (vec![0], 0);
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => starts.push(at + 1),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    starts.into_iter().map(|at| identifier(group[at..].trim_start())).filter(|name| !name.is_empty()).collect()
}

/// Every source file except the root of the crate, which names all modules.
fn sources() -> Vec<Source> {
    fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, paths),
                false => paths.push(path),
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    let below = paths.iter().map(|path| (path, path.strip_prefix(&root).unwrap()));
    let inside =
        below.filter(|(_, below)| below.extension().is_some_and(|e| e == "rs") && *below != Path::new("lib.rs"));
    inside.map(|(path, below)| Source::new(below, &fs::read_to_string(path).unwrap())).collect()
}

/// The module that defines each macro.
fn macros(sources: &[Source]) -> BTreeMap<String, String> {
    let of = |source: &Source| {
        let names = source.code.split("macro_rules! ").skip(1).map(identifier);
        names.map(|name| (name.to_string(), source.module.clone())).collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).collect()
}

#[test]
fn every_file_belongs_to_a_layer() {
    let sources = sources();
    assert!(sources.len() > 40, "only {} files were found", sources.len());
    let strangers: Vec<_> = sources.iter().map(|source| &source.module).filter(|name| height(name).is_none()).collect();
    assert!(strangers.is_empty(), "{strangers:?} are in no layer");
}

#[test]
fn imports_go_down() {
    let sources = sources();
    let macros = macros(&sources);
    let violations: Vec<_> = sources.iter().flat_map(|source| source.violations(&macros)).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn only_the_kernels_are_unsafe() {
    let unsafe_modules: Vec<_> =
        sources().into_iter().filter(|source| source.has_word("unsafe")).map(|source| source.module).collect();
    assert!(unsafe_modules.iter().all(|module| module == "kernel"), "unsafe code in {unsafe_modules:?}");
    assert!(!unsafe_modules.is_empty(), "the word is not found where it is");
}

#[test]
fn an_import_from_above_is_found() {
    let macros = BTreeMap::from([("module".to_string(), "nn".to_string())]);
    let in_ops = |text: &str| Source::new(Path::new("ops/loss/made_up.rs"), text).violations(&macros);
    let from_above = [
        "use crate::nn::Linear;",
        "use crate::{\n    autograd::{Op, Var},\n    optim::Sgd,\n};",
        "fn f() -> f64 { crate::data::rate() }",
        "crate::module!(A { b });",
        "use super::super::super::nn::Linear;",
        "macro_rules! m { () => { $crate::nn::Linear } }",
        "use crate::Tensor;",
        "use crate::*;",
    ];
    for text in from_above {
        assert_eq!(in_ops(text).len(), 1, "{text}: {:?}", in_ops(text));
    }
    let allowed = [
        "use crate::tensor::{Dims, Tensor};",
        "use crate::{ops::arithmetic, panics};",
        "// use crate::nn::Linear;",
        "/// See [`Linear`](crate::nn::Linear).",
        "use super::super::softmax;",
        "mod tests { use super::super::super::*; }",
        "macro_rules! m { () => { $crate::Tensor } }",
    ];
    for text in allowed {
        assert_eq!(in_ops(text), [""; 0], "{text}");
    }
    let in_kernel = Source::new(Path::new("kernel/mod.rs"), "use super::tensor::Tensor;");
    assert_eq!(in_kernel.violations(&macros), ["kernel/mod.rs: kernel imports tensor from above"]);
}
