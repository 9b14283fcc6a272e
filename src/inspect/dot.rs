//! The graph in Graphviz format.

use crate::inspect::{Graph, Input, Kind, Vertex};
use std::fmt::Write;

/// The graph as text, with a cluster for each group.
pub(crate) fn draw(graph: &Graph) -> String {
    let mut text = String::from("digraph tape {\n  node [shape=box, style=rounded, fontname=Helvetica];\n");
    text += "  edge [fontname=Helvetica, fontsize=10];\n";
    text += "  graph [fontname=Helvetica, style=rounded, color=\"#9fc5de\"];\n";
    text += &members(graph, None, 1);
    for (index, vertex) in graph.vertices.iter().enumerate() {
        for (k, input) in vertex.inputs.iter().enumerate() {
            text += &match input {
                Input::Node(source) => {
                    format!("  n{source} -> n{index} [label=\"{:?}\"];\n", graph.vertices[*source].shape)
                }
                Input::Constant(shape) => {
                    let shape = shape.as_ref().map_or(String::new(), |shape| format!(" {shape:?}"));
                    format!("  c{index}_{k} [label=\"constant{shape}\", shape=plain];\n  c{index}_{k} -> n{index};\n")
                }
            };
        }
    }
    text + "}\n"
}

/// The nodes of a group, or those without one, and its subgroups as clusters.
fn members(graph: &Graph, group: Option<usize>, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut text = String::new();
    for (index, vertex) in graph.vertices.iter().enumerate().filter(|&(index, _)| group_of(graph, index) == group) {
        writeln!(text, "{indent}n{index} [{}];", attributes(vertex)).expect("a string takes everything");
    }
    for (index, inner) in graph.groups.iter().enumerate().filter(|(_, inner)| inner.parent == group) {
        let label = escaped(&format!("{}  {}", inner.path, inner.kind));
        let inside = members(graph, Some(index), depth + 1);
        text += &format!("{indent}subgraph cluster_{index} {{\n{indent}  label=\"{label}\";\n{inside}{indent}}}\n");
    }
    text
}

/// The group in which a node is drawn; a parameter goes with the first operation that reads it.
fn group_of(graph: &Graph, index: usize) -> Option<usize> {
    if graph.vertices[index].kind != Kind::Parameter {
        return graph.vertices[index].group;
    }
    let reads =
        |vertex: &&Vertex| vertex.inputs.iter().any(|input| matches!(input, Input::Node(source) if *source == index));
    graph.vertices.iter().find(reads).and_then(|vertex| vertex.group)
}

fn attributes(vertex: &Vertex) -> String {
    let label = escaped(&format!("{} {}", vertex.name, vertex.settings));
    let style = match vertex.kind {
        Kind::Variable => ", shape=ellipse",
        Kind::Parameter => ", style=filled, fillcolor=\"#fdf3dc\", fontsize=11",
        Kind::Released => ", style=\"rounded,dashed\"",
        Kind::Operation if vertex.backward => ", color=\"#d55e00\"",
        Kind::Operation | Kind::Constant => "",
    };
    format!("label=\"{}\"{style}", label.trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
