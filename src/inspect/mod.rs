//! Showing a tape: as a list, as an SVG drawing, and as input for Graphviz.

mod anomaly;
mod dot;
mod groups;
mod layout;
mod listing;
mod notebook;
mod svg;

use crate::autograd::tape::{Content, List, Node, NodeId};
use crate::autograd::{Description, Save, Tape};
use crate::kernel::base::small_box::AsDyn;
use crate::tensor::{Float, Tensor};
pub(crate) use groups::Group;
use groups::group;
use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::panic::Location;

/// A snapshot of a tape, without the values.
pub(crate) struct Graph {
    /// In the order of the tape.
    pub(crate) vertices: Vec<Vertex>,
    /// The applications of modules, outer ones first.
    pub(crate) groups: Vec<Group>,
    pub(crate) saved_bytes: usize,
}

/// A node of the tape.
pub(crate) struct Vertex {
    pub(crate) kind: Kind,
    /// The name of the operation, or the path of a named parameter.
    pub(crate) name: String,
    pub(crate) settings: Description,
    pub(crate) inputs: Vec<Input>,
    pub(crate) shape: Vec<usize>,
    pub(crate) saved_bytes: usize,
    pub(crate) location: &'static Location<'static>,
    /// Whether a recorded backward pass added it.
    pub(crate) backward: bool,
    /// The innermost group that contains it.
    pub(crate) group: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Operation,
    /// An operation that `backward` released.
    Released,
    Variable,
    Parameter,
    /// An input of an operation that is not a node.
    Constant,
}

/// An input of an operation.
pub(crate) enum Input {
    Node(usize),
    /// The shape is known if the value was saved.
    Constant(Option<Vec<usize>>),
}

impl Vertex {
    fn is_leaf(&self) -> bool {
        matches!(self.kind, Kind::Variable | Kind::Parameter)
    }

    /// The distinct nodes that it reads.
    fn sources(&self) -> Vec<usize> {
        let mut seen = HashSet::new();
        let node = |input: &Input| if let Input::Node(source) = *input { Some(source) } else { None };
        self.inputs.iter().filter_map(node).filter(|&source| seen.insert(source)).collect()
    }
}

impl Graph {
    pub(crate) fn of<T: Float>(tape: &Tape<T>) -> Self {
        let paths = paths(tape);
        let (list, passes) = (tape.list(), tape.diagnostics().passes.borrow());
        // At each node, how many passes begin less how many end.
        let mut changes: HashMap<usize, isize> = HashMap::new();
        for pass in passes.iter() {
            *changes.entry(pass.start).or_default() += 1;
            *changes.entry(pass.end).or_default() -= 1;
        }
        let mut depth = 0;
        let vertex = |(id, node): (NodeId, &Node<T>)| {
            depth += changes.get(&id.index()).copied().unwrap_or(0);
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
                backward: depth > 0,
                group: None,
            }
        };
        let mut vertices: Vec<Vertex> = list.nodes().map(vertex).collect();
        let groups = group(&mut vertices, &modules(tape));
        Graph { vertices, groups, saved_bytes: tape.saved_bytes() }
    }

    /// The number of nodes that were not released.
    #[inline(never)]
    fn live_nodes(&self) -> usize {
        self.vertices.iter().filter(|vertex| vertex.kind != Kind::Released).count()
    }
}

/// The kind of a node and the settings of its operation.
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

/// The value of an input, if the node saved it.
fn saved_input<T: Float>(list: &List<T>, id: NodeId, k: usize) -> Option<&Tensor<T>> {
    let Content::Operation(op) = &list[id].content else { return None };
    if let Save::Output = op.as_dyn().save() { None } else { list.saved(id).get(k)?.as_ref() }
}

fn bytes<T: Float>(value: &Tensor<T>) -> usize {
    value.len() * size_of::<T>()
}

/// The paths of named parameters, by node.
fn paths<T: Float>(tape: &Tape<T>) -> HashMap<usize, String> {
    let named = |(param, leaf): (_, Result<NodeId, _>)| Some((leaf.ok()?.index(), tape.path(param)?));
    tape.bindings().into_iter().filter_map(named).collect()
}

/// The modules that contain each parameter, outermost first, by node.
fn modules<T: Float>(tape: &Tape<T>) -> HashMap<usize, Vec<(String, &'static str)>> {
    let names = tape.diagnostics().names.borrow();
    let modules =
        |(param, leaf): (_, Result<NodeId, _>)| Some((leaf.ok()?.index(), names.get(&param)?.modules.clone()));
    tape.bindings().into_iter().filter_map(modules).collect()
}

impl<T: Float> Tape<T> {
    /// The number of nodes that [`backward`](crate::Var::backward) has not released.
    pub fn live_nodes(&self) -> usize {
        self.list().nodes().filter(|(_, node)| !matches!(node.content, Content::Released(_))).count()
    }

    /// The memory, in bytes, of the values that operations save for the backward pass; shared values count once.
    ///
    /// Includes values that are alive elsewhere too, such as parameters and inputs. Excludes what operations store in their fields,
    /// such as masks and indices.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::ones([10, 10]));
    /// let y = (x.sin() * x.cos()).sum();
    /// assert_eq!(tape.saved_bytes(), 3 * 400); // x, sin(x) and cos(x)
    /// _ = y.backward();
    /// assert_eq!((tape.saved_bytes(), tape.live_nodes()), (0, 1));
    /// ```
    #[inline(never)]
    pub fn saved_bytes(&self) -> usize {
        let list = self.list();
        let saved = list.nodes().flat_map(|(id, _)| list.saved(id).iter().flatten());
        let buffers: HashMap<_, usize> = saved.map(|value| (value.as_slice().as_ptr(), bytes(value))).collect();
        buffers.values().sum()
    }

    /// The recorded graph in Graphviz format, for `dot -Tsvg`. It shows the same as [`to_svg`](Tape::to_svg).
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = Tape::new().var(2.0);
    /// let y = x.sin() + &x;
    /// assert!(x.tape().to_dot().contains("n1 -> n2"));
    /// ```
    #[doc(alias("make_dot", "graphviz"))]
    #[inline(never)]
    pub fn to_dot(&self) -> String {
        dot::draw(&Graph::of(self))
    }

    /// A drawing of the recorded graph as an SVG: operations from top to bottom, with arrows from the values they read.
    ///
    /// Parameters and constants are drawn to the left of the operations that read them. After
    /// [`name_parameters`](Tape::name_parameters) each application of a module is a box around the operations that read its
    /// parameters, those recorded by the same call, and those in between. Operations of a recorded backward pass have a different
    /// color. A graph of more than 10 000 nodes and inputs would be no picture: a sentence takes its place, which points to
    /// [`to_dot`](Tape::to_dot).
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let x = Tape::new().var(2.0);
    /// let y = x.sin() + &x;
    /// assert!(x.tape().to_svg().starts_with("<svg"));
    /// ```
    #[doc(alias("plot_dot_graph", "plot_model"))]
    #[inline(never)]
    pub fn to_svg(&self) -> String {
        svg::draw(&Graph::of(self))
    }
}

/// Instantiates the drawings for an element type; see [`crate::instances`].
pub(crate) fn instantiate<T: Float>() {
    black_box(Tape::<T>::detect_anomaly as fn(Tape<T>) -> Tape<T>);
    black_box(Tape::<T>::live_nodes as fn(&Tape<T>) -> usize);
    black_box(Tape::<T>::saved_bytes as fn(&Tape<T>) -> usize);
    black_box(Tape::<T>::to_dot as fn(&Tape<T>) -> String);
    black_box(Tape::<T>::to_svg as fn(&Tape<T>) -> String);
}
