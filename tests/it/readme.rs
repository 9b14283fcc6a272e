//! Both READMEs and the crate page show the same program and the same output. The program runs as the documentation test of the
//! crate page, and with optimization in `.ci/program`.

use std::path::Path;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The blocks of code in a text, without their comments, which differ between languages, and without the lines that
/// documentation hides.
fn code(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    for (index, part) in text.split("```").enumerate().filter(|(index, _)| index % 2 == 1) {
        let (language, block) = part.split_once('\n').unwrap_or_else(|| panic!("block {index} has one line"));
        let comment = if language == "sh" { "#" } else { "//" };
        let shown = block.lines().filter(|line| language == "sh" || !line.trim_start().starts_with("# "));
        let lines = shown.map(|line| line.split(comment).next().unwrap_or(line).trim_end());
        blocks.push(format!("{language}\n{}", lines.collect::<Vec<_>>().join("\n")));
    }
    blocks
}

#[test]
fn both_languages_show_the_same_code_and_output() {
    let [english, japanese] = ["README.md", "README.ja.md"].map(|name| code(&file(name)));
    assert!(english.len() >= 5, "{english:?}");
    assert_eq!(english, japanese);
}

#[test]
fn the_crate_page_has_the_program_of_the_readme() {
    let source = file("src/lib.rs");
    let page = source.lines().map_while(|line| line.strip_prefix("//!"));
    let page: String = page.map(|line| line.strip_prefix(' ').unwrap_or(line).to_string() + "\n").collect();
    let [readme, page] = [("README.md", "rust\n"), ("", "\n")].map(|(name, language)| {
        let blocks = if name.is_empty() { code(&page) } else { code(&file(name)) };
        blocks.iter().filter_map(|block| block.strip_prefix(language)).map(String::from).collect::<Vec<_>>()
    });
    assert!(readme.len() >= 3, "{readme:?}");
    assert_eq!(readme, page);
}

/// In rustdoc 1.95 a type that is re-exported from a private module loses its aliases in the search; a method keeps them.
#[test]
fn search_terms_are_on_methods_and_functions() {
    let public = ["distributed/mod.rs", "optim/schedule/mod.rs", "training/mod.rs", "training/tensorboard/mod.rs"];
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (k, _) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("#[doc(alias")) {
            let item = lines[k..].iter().find(|line| line.starts_with("pub ")).unwrap_or(&"");
            let lost = ["pub struct", "pub enum", "pub trait", "pub type"].iter().any(|kind| item.starts_with(kind));
            assert!(!lost || public.iter().any(|name| path.ends_with(name)), "{}:{}: {item}", path.display(), k + 1);
        }
    }
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
