//! Grouping of the nodes of a tape by module.

use super::tape;

/// The operations of a listing with their modules, such as `linear head`.
fn modules(list: &str) -> Vec<String> {
    let operations = list.lines().filter(|line| line.starts_with('%') && line.contains('('));
    let module = |line: &str| {
        let columns: Vec<&str> = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        let name = columns[1].split('(').next().unwrap_or_default();
        let module = columns[columns.len() - 2];
        let is_path = module.starts_with(|c: char| c.is_ascii_lowercase());
        if is_path { format!("{name} {module}") } else { name.to_string() }
    };
    operations.map(module).collect()
}

#[test]
fn operations_belong_to_the_modules_whose_parameters_they_read() {
    let list = modules(&tape(true).to_string());
    let forward = |from: usize, count: usize| list[from..from + count].join(", ");
    assert_eq!(list[0], "linear blocks.0.first");
    assert_eq!(list[1], "batch_norm blocks.0.norm");
    assert_eq!(
        forward(2, 5),
        "relu blocks.0, linear blocks.0.second, add, relu, linear blocks.1.first",
        "what lies between two layers of a block is in the block, what comes after them is not"
    );
    let cell = list.iter().position(|line| line == "matmul cell").expect("the cell has products");
    assert_eq!(
        forward(cell, 8),
        "matmul cell, softplus cell, matmul cell, add, tanh, matmul cell, softplus cell, matmul cell",
        "a second application is another box"
    );
    assert_eq!(forward(cell + 8, 5), "add, tanh, mul, linear head, square");
    assert!(list[cell + 13..].iter().any(|line| line == "matmul head"), "the backward pass too: {list:?}");
}

#[test]
fn each_application_of_a_module_is_a_box() {
    let tape = tape(true);
    let boxes = |path: &str| tape.to_svg().matches(&format!(">{path}<tspan")).count();
    // Once forward, once backward; each cell twice.
    assert_eq!(["blocks.1", "blocks.1.norm", "head", "cell"].map(boxes), [2, 2, 2, 4]);
    assert_eq!(boxes("blocks"), 0, "a vector is no module of its own");
    let clusters = tape.to_dot().matches("subgraph cluster_").count();
    assert_eq!(clusters, tape.to_svg().matches("fill-opacity").count());
}
