//! A tape as a graph that can be shown: as a list, as an SVG, as input for Graphviz.

mod anomaly;
mod dot;
mod groups;
mod layout;
mod listing;
mod svg;

use crate::autograd::tape::{Content, List, Node, NodeId};
use crate::autograd::{Description, Save, Tape};
use crate::kernel::base::small_box::AsDyn;
use crate::tensor::{Float, Tensor};
use groups::{Group, group};
use std::collections::HashMap;
use std::panic::Location;

/// What a tape holds at a moment, in words and numbers.
struct Graph {
    /// In the order of the tape.
    vertices: Vec<Vertex>,
    /// The applications of modules, an outer one before those inside.
    groups: Vec<Group>,
    saved_bytes: usize,
}

/// A node as it is shown.
struct Vertex {
    kind: Kind,
    /// Of the operation; the path of a parameter that was told its.
    name: String,
    settings: Description,
    inputs: Vec<Input>,
    shape: Vec<usize>,
    saved_bytes: usize,
    location: &'static Location<'static>,
    /// Whether a recorded backward pass has recorded it.
    backward: bool,
    /// The innermost application of a module that it is part of.
    group: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Operation,
    /// An operation that a `backward` has passed.
    Released,
    Variable,
    Parameter,
    /// Not a node, but what an operation reads.
    Constant,
}

/// What an operation reads.
enum Input {
    Node(usize),
    /// The shape is known if the value was saved.
    Constant(Option<Vec<usize>>),
}

impl Vertex {
    fn is_leaf(&self) -> bool {
        matches!(self.kind, Kind::Variable | Kind::Parameter)
    }

    /// The nodes that it reads, each once.
    fn sources(&self) -> Vec<usize> {
        let mut sources = Vec::new();
        for input in &self.inputs {
            if let Input::Node(source) = *input
                && !sources.contains(&source)
            {
                sources.push(source);
            }
        }
        sources
    }
}

impl Graph {
    fn of<T: Float>(tape: &Tape<T>) -> Self {
        let paths = paths(tape);
        let (list, passes) = (tape.list(), tape.diagnostics().passes.borrow());
        let vertex = |(id, node): (NodeId, &Node<T>)| {
            let (kind, settings) = describe(&node.content);
            let input = |(k, input): (usize, &Option<NodeId>)| match input {
                Some(source) => Input::Node(source.index()),
                None => Input::Constant(saved_input(&list, id, k).map(|value| value.shape().to_vec())),
            };
            Vertex {
                kind,
                name: paths.get(&id.index()).cloned().unwrap_or(node.name.into()),
                settings,
                inputs: list.inputs(id).iter().enumerate().map(input).collect(),
                shape: node.shape.to_vec(),
                saved_bytes: list.saved(id).iter().flatten().map(bytes).sum(),
                location: node.location,
                backward: passes.iter().any(|pass| pass.contains(&id.index())),
                group: None,
            }
        };
        let mut vertices: Vec<Vertex> = list.nodes().map(vertex).collect();
        let groups = group(&mut vertices, &modules(tape));
        Graph { vertices, groups, saved_bytes: tape.saved_bytes() }
    }

    /// The number of nodes that no `backward` has passed.
    fn live_nodes(&self) -> usize {
        self.vertices.iter().filter(|vertex| vertex.kind != Kind::Released).count()
    }
}

/// The kind of a node, and the settings of its operation.
fn describe<T: Float>(content: &Content<T>) -> (Kind, Description) {
    let mut description = Description::default();
    let kind = match content {
        Content::Variable => Kind::Variable,
        Content::Parameter(_) => Kind::Parameter,
        Content::Operation(op) => {
            op.as_dyn().describe(&mut description);
            Kind::Operation
        }
        Content::InFlight => Kind::Operation,
        Content::Released(_) => Kind::Released,
    };
    (kind, description)
}

/// An input that a node saved.
fn saved_input<T: Float>(list: &List<T>, id: NodeId, k: usize) -> Option<&Tensor<T>> {
    let Content::Operation(op) = &list[id].content else { return None };
    if let Save::Output = op.as_dyn().save() { None } else { list.saved(id).get(k)?.as_ref() }
}

fn bytes<T: Float>(value: &Tensor<T>) -> usize {
    value.len() * size_of::<T>()
}

/// The paths of the parameters whose names are known, by the nodes that stand for them.
fn paths<T: Float>(tape: &Tape<T>) -> HashMap<usize, String> {
    let named = |(param, leaf): (_, Result<NodeId, _>)| Some((leaf.ok()?.index(), tape.path(param)?));
    tape.bindings().into_iter().filter_map(named).collect()
}

/// The modules around each parameter that is read, the outermost first.
fn modules<T: Float>(tape: &Tape<T>) -> HashMap<usize, Vec<(String, &'static str)>> {
    let names = tape.diagnostics().names.borrow();
    let around = |(param, leaf): (_, Result<NodeId, _>)| Some((leaf.ok()?.index(), names.get(&param)?.modules.clone()));
    tape.bindings().into_iter().filter_map(around).collect()
}

impl<T: Float> Tape<T> {
    /// The number of nodes that no [`backward`](crate::Var::backward) has passed: all of them before the first.
    pub fn live_nodes(&self) -> usize {
        self.list().nodes().filter(|(_, node)| !matches!(node.content, Content::Released(_))).count()
    }

    /// The bytes of the values that operations keep for their rules, each value once however many keep it.
    ///
    /// Values that a model or a program holds too, such as parameters and inputs, are among them. Masks and positions that
    /// operations make for themselves are not.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::ones([10, 10]));
    /// let y = (x.sin() * x.cos()).sum();
    /// assert_eq!(tape.saved_bytes(), 3 * 400); // x, sin(x) and cos(x)
    /// y.backward();
    /// assert_eq!((tape.saved_bytes(), tape.live_nodes()), (0, 1));
    /// ```
    pub fn saved_bytes(&self) -> usize {
        let list = self.list();
        let saved = list.nodes().flat_map(|(id, _)| list.saved(id).iter().flatten());
        let buffers: HashMap<_, usize> = saved.map(|value| (value.as_slice().as_ptr(), bytes(value))).collect();
        buffers.values().sum()
    }

    /// The graph of what was recorded in the language of Graphviz: `dot -Tsvg`.
    ///
    /// What it shows is what [`to_svg`](Tape::to_svg) shows.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = Tape::new().var(2.0);
    /// let y = x.sin() + &x;
    /// assert!(x.tape().to_dot().contains("n1 -> n2"));
    /// ```
    pub fn to_dot(&self) -> String {
        dot::draw(&Graph::of(self))
    }

    /// A drawing of what was recorded, an SVG that needs no other program: the list from top to bottom with an arrow for
    /// everything that one operation reads from another.
    ///
    /// Parameters and constants stand on the left of the operations that read them. Once
    /// [`name_parameters`](Tape::name_parameters) has told the paths of a model, what belongs to one application of a module
    /// is in a box: operations that read its parameters, and others that the same call has recorded or that lie between them.
    /// What a recorded backward pass has recorded has another colour.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = Tape::new().var(2.0);
    /// let y = x.sin() + &x;
    /// assert!(x.tape().to_svg().starts_with("<svg"));
    /// ```
    pub fn to_svg(&self) -> String {
        svg::draw(&Graph::of(self))
    }
}
