//! The guide in English and Japanese: every page is there in both languages, listed in the same order, with the same code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The texts of the pages in `docs/guide` or a folder below it, by name.
fn pages(folder: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide").join(folder);
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(&path).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_stem().unwrap().display().to_string();
            pages.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    pages
}

/// The names of the pages that a file of `src/guide` lists, in order, each with its figure.
fn listed(file: &str) -> Vec<(String, Option<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/guide").join(file);
    let source = fs::read_to_string(path).unwrap();
    let (_, list) = source.split_once("\npages! {").unwrap();
    let pages = list.lines().filter_map(|line| line.trim().strip_suffix(';'));
    let parts = pages.map(|page| page.split('"').map(str::to_owned).collect::<Vec<_>>()); // name, title, comma, figure
    parts.map(|parts| (parts[0].trim_end_matches(", ").to_owned(), parts.get(3).cloned())).collect()
}

/// A line of code without its comment. Two slashes within a string begin none.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|&(at, _)| line[..at].matches('"').count().is_multiple_of(2));
    line[..comment.map_or(line.len(), |(at, _)| at)].trim_end()
}

/// The lines of all code blocks with their numbers, without comments and empty lines. Each block begins with its fence. A block of
/// `text` holds formulas, which contain words.
fn code(page: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut language = None;
    for (number, line) in (1..).zip(page.lines()) {
        let is_fence = line.starts_with("```");
        language = match language {
            None if is_fence => Some(line),
            Some(_) if is_fence => None,
            language => language,
        };
        if language.is_some_and(|language| language != "```text") && !without_comment(line).is_empty() {
            lines.push((number, without_comment(line)));
        }
    }
    lines
}

/// The first difference between the code of a page and that of its twin.
fn difference(english: &str, japanese: &str) -> Option<String> {
    let (english, japanese) = (code(english), code(japanese));
    let of = |lines: &[(usize, &str)], k: usize| lines.get(k).map(|&(_, line)| line.to_owned());
    let shown = |lines: &[(usize, &str)], k: usize| match lines.get(k) {
        Some((number, line)) => format!("line {number}: {line}"),
        None => "no more code".into(),
    };
    let first = (0..english.len().max(japanese.len())).find(|&k| of(&english, k) != of(&japanese, k))?;
    Some(format!("  English, {}\n  Japanese, {}", shown(&english, first), shown(&japanese, first)))
}

#[test]
fn every_page_has_a_twin() {
    let (english, japanese) = (pages(""), pages("ja"));
    let missing = |folder: &str, pages: &BTreeMap<String, String>, twins: &BTreeMap<String, String>| {
        let names = twins.keys().filter(|name| !pages.contains_key(*name));
        names.map(|name| format!("docs/guide/{folder}{name}.md is missing")).collect::<Vec<_>>()
    };
    let missing = [missing("", &english, &japanese), missing("ja/", &japanese, &english)].concat();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn both_languages_list_the_same_pages() {
    let (english, japanese) = (listed("mod.rs"), listed("ja.rs"));
    assert_eq!(english, japanese);
    let names: BTreeSet<&String> = english.iter().map(|(name, _)| name).collect();
    assert_eq!(names, pages("").keys().collect());
}

#[test]
fn twins_have_the_same_code() {
    let (english, japanese) = (pages(""), pages("ja"));
    let twins = english.iter().filter_map(|(name, page)| Some((name, page, japanese.get(name)?)));
    let differences: Vec<String> =
        twins.filter_map(|(name, page, twin)| Some(format!("{name}\n{}", difference(page, twin)?))).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn only_comments_may_differ() {
    let page = "# Title\n```text\nsum of x\n```\n```\nlet x = 1; // one\nlet url = \"a//b\";\n```\n";
    let comments = "# 題\n```text\nx の和\n```\n```\n// 数\nlet x = 1; // 1 つ\nlet url = \"a//b\";\n```\n";
    assert_eq!(difference(page, comments), None);

    let edited = page.replace("a//b", "a//c");
    let expected = "  English, line 7: let url = \"a//b\";\n  Japanese, line 7: let url = \"a//c\";";
    assert_eq!(difference(page, &edited).unwrap(), expected);

    let shorter = page.replace("let url = \"a//b\";\n", "");
    assert_eq!(difference(page, &shorter).unwrap(), "  English, line 7: let url = \"a//b\";\n  Japanese, no more code");
}
