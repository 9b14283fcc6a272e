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

#[test]
fn each_value_is_a_block_of_html() {
    // The test above, in a process whose output can be read.
    let arguments = ["inspect::notebook::values_of_a_cell", "--exact", "--nocapture"];
    let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let blocks: Vec<&str> = out.split("EVCXR_BEGIN_CONTENT text/html\n").skip(1).collect();
    let blocks: Vec<&str> = blocks.iter().map(|block| block.split_once("\nEVCXR_END_CONTENT").unwrap().0).collect();
    let [tensor, variable, tape] = blocks[..] else { panic!("three blocks: {out}") };
    assert_eq!(tensor, "<pre>f32 [1, 2]\n[[1. 2.]]</pre>");
    assert!(variable.starts_with("<pre>f32 []\n0.9092974") && variable.ends_with("</svg>\n"), "{variable}");
    assert!(tape.starts_with("<svg") && tape.contains("sin"), "{tape}");
}
