//! The graph in Graphviz format.

use crate::inspect::{Graph, Input, Kind, Vertex};
use std::collections::HashMap;
use std::fmt::Write;

/// The graph as text, with a cluster for each group.
pub(crate) fn draw(graph: &Graph) -> String {
    let mut text = String::from("digraph tape {\n  node [shape=box, style=rounded, fontname=Helvetica];\n");
    text += "  edge [fontname=Helvetica, fontsize=10];\n";
    text += "  graph [fontname=Helvetica, style=rounded, color=\"#9fc5de\"];\n";
    text += &Members::of(graph).draw(None, 1);
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

/// What each group contains.
struct Members<'a> {
    graph: &'a Graph,
    /// Nodes by group; those without one under `None`.
    nodes: HashMap<Option<usize>, Vec<usize>>,
    subgroups: HashMap<Option<usize>, Vec<usize>>,
}

impl<'a> Members<'a> {
    fn of(graph: &'a Graph) -> Self {
        let mut members = Members { graph, nodes: HashMap::new(), subgroups: HashMap::new() };
        for (index, group) in groups_of(graph).into_iter().enumerate() {
            members.nodes.entry(group).or_default().push(index);
        }
        for (index, group) in graph.groups.iter().enumerate() {
            members.subgroups.entry(group.parent).or_default().push(index);
        }
        members
    }

    /// The nodes of a group, or those without one, and its subgroups as clusters.
    fn draw(&self, group: Option<usize>, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut text = String::new();
        for &index in self.nodes.get(&group).into_iter().flatten() {
            let attributes = attributes(&self.graph.vertices[index]);
            writeln!(text, "{indent}n{index} [{attributes}];").expect("a string takes everything");
        }
        for &index in self.subgroups.get(&group).into_iter().flatten() {
            let inner = &self.graph.groups[index];
            let label = escaped(&format!("{}  {}", inner.path, inner.kind));
            let inside = self.draw(Some(index), depth + 1);
            text += &format!("{indent}subgraph cluster_{index} {{\n{indent}  label=\"{label}\";\n{inside}{indent}}}\n");
        }
        text
    }
}

/// The group in which each node is drawn; a parameter goes with the first operation that reads it.
fn groups_of(graph: &Graph) -> Vec<Option<usize>> {
    let mut groups: Vec<Option<usize>> = graph.vertices.iter().map(|vertex| vertex.group).collect();
    for vertex in graph.vertices.iter().rev() {
        for source in vertex.sources() {
            if graph.vertices[source].kind == Kind::Parameter {
                groups[source] = vertex.group;
            }
        }
    }
    groups
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
