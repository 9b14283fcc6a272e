//! Drawn and printed tapes: what belongs to which module, and that drawings are well-formed whatever was recorded.

use std::fmt::{self, Debug, Formatter};
use wengert::prelude::*;

struct Block {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
}
module!(Block { first, norm, second });

impl Block {
    fn forward(&self, x: &Var) -> Var {
        let h = self.norm.forward(&self.first.forward(x)).relu();
        (self.second.forward(&h) + x).relu()
    }
}

/// A recurrent cell of its own making: it reads its parameters itself.
struct Cell {
    input: Param,
    state: Param,
}
module!(Cell { input, state });

impl Cell {
    fn forward(&self, x: &Var, h: &Var) -> Var {
        (x.matmul(&self.input).softplus() + h.matmul(&self.state)).tanh()
    }
}

struct Net {
    blocks: Vec<Block>,
    cell: Cell,
    scale: Param,
    head: Linear,
}
module!(Net { blocks, cell, scale, head });

impl Net {
    fn new() -> Self {
        let mut rng = wengert::rng(0);
        let mut layer = |inputs, outputs| Linear::new(inputs, outputs, Init::Xavier, &mut rng);
        let mut block = || Block { first: layer(3, 4), norm: BatchNorm::new(4), second: layer(4, 3) };
        let blocks = vec![block(), block()];
        let cell = Cell { input: Param::new(Tensor::ones([3, 3])), state: Param::new(Tensor::ones([3, 3])) };
        Net { blocks, cell, scale: Param::new(2.0), head: layer(3, 2) }
    }

    fn loss(&self, x: &Var) -> Var {
        let h = self.blocks.iter().fold(x.clone(), |h, block| block.forward(&h));
        let h = self.cell.forward(x, &self.cell.forward(x, &h));
        self.head.forward(&(h * &self.scale)).square().sum()
    }
}

/// The tape of a training step, and of the gradient with respect to the batch.
fn tape(named: bool) -> Tape {
    let (net, tape) = (Net::new(), Tape::training(&mut wengert::rng(0)));
    if named {
        tape.name_parameters(&net);
    }
    let x = tape.var(Tensor::randn([5, 3], &mut wengert::rng(1)));
    _ = net.loss(&x).grad(&x);
    tape
}

/// The operations of a listing with their modules: `linear head`.
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
    // Once forward, once backward; the cell twice each.
    assert_eq!(["blocks.1", "blocks.1.norm", "head", "cell"].map(boxes), [2, 2, 2, 4]);
    assert_eq!(boxes("blocks"), 0, "a vector is no module of its own");
    let clusters = tape.to_dot().matches("subgraph cluster_").count();
    assert_eq!(clusters, tape.to_svg().matches("fill-opacity").count());
}

/// Checks that every element ends where it must, and that no number went wrong; returns the number of elements.
fn check_svg(svg: &str) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains(['<', '>']), "{text}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match tag {
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "in {tag}"),
            _ if tag.ends_with('/') => count += 1,
            _ => {
                open.push(name);
                count += 1;
            }
        }
    }
    assert!(open.is_empty() && !svg.contains("NaN") && !svg.contains("inf"), "{open:?}");
    count
}

#[test]
fn drawings_are_well_formed() {
    struct Odd;
    impl Debug for Odd {
        fn fmt(&self, f: &mut Formatter) -> fmt::Result {
            f.write_str(r#"Odd("</svg>\")"#)
        }
    }
    impl Op<f32, 1> for Odd {
        const NAME: &'static str = "a<b & \"c\"";
        const SAVE: Save = Save::Output;
        fn forward(&mut self, [x]: [&Tensor; 1]) -> Tensor {
            x.clone()
        }
        fn backward(&self, _: &Saved<f32, 1>, gy: &Var) -> [Option<Var>; 1] {
            [Some(gy.clone())]
        }
    }
    let empty = Tape::new();
    check_svg(&empty.to_svg());
    assert!(empty.to_dot().ends_with("}\n"));
    assert!(check_svg(&tape(true).to_svg()) > check_svg(&tape(false).to_svg()));

    let x = Tape::new().var([1.0, 2.0]);
    let y = x.apply(Odd);
    check_svg(&x.tape().to_svg());
    assert!(x.tape().to_dot().contains(r#"label="a<b & \"c\" "#), "{}", x.tape().to_dot());
    (y.square() + &x * &x).sum().backward();
    let svg = x.tape().to_svg();
    check_svg(&svg);
    assert!(svg.contains("released") && svg.contains("6 nodes, 1 live"), "{svg}");
}

#[test]
fn bytes_are_counted_once_and_released() {
    let tape = Tape::new();
    let x = tape.var(Tensor::ones([8]));
    let y = (x.square() * &x + x.reshape([8]).exp()).sum();
    // The square and the product keep x, and the product x²; exp keeps its value.
    assert_eq!(tape.saved_bytes(), 3 * 32);
    assert_eq!(tape.live_nodes(), tape.len());
    y.backward();
    assert_eq!((tape.saved_bytes(), tape.live_nodes()), (0, 1));
}
