//! What a notebook of evcxr shows.

use std::process::Command;
use wengert::prelude::*;

#[test]
fn values_of_a_cell() {
    let x = Tape::new().var(2.0);
    tensor![[1.0, 2.0]].evcxr_display();
    x.sin().evcxr_display();
    x.tape().evcxr_display();
}

/// What was shown as content of a kind.
fn blocks<'a>(out: &'a str, kind: &str) -> Vec<&'a str> {
    let begin = format!("EVCXR_BEGIN_CONTENT {kind}\n");
    out.split(&*begin).skip(1).map(|block| block.split_once("\nEVCXR_END_CONTENT").unwrap().0).collect()
}

#[test]
fn each_value_is_a_block_of_html_and_one_of_text() {
    // The test above, in a process whose output can be read.
    let arguments = ["inspect::notebook::values_of_a_cell", "--exact", "--nocapture"];
    let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let [tensor, variable, tape] = blocks(&out, "text/html")[..] else { panic!("three blocks: {out}") };
    assert_eq!(tensor, "<pre>f32 [1, 2]\n[[1. 2.]]</pre>");
    assert!(variable.starts_with("<pre>f32 []\n0.9092974") && variable.ends_with("</svg>\n"), "{variable}");
    assert!(tape.starts_with("<svg") && tape.contains("sin"), "{tape}");
    // The command line shows nothing else.
    let [tensor, variable, tape] = blocks(&out, "text/plain")[..] else { panic!("three blocks: {out}") };
    assert_eq!(tensor, "f32 [1, 2]\n[[1. 2.]]");
    assert!(variable.starts_with("f32 []\n0.9092974"), "{variable}");
    assert!(tape.contains("sin"), "{tape}");
}
