//! The ONNX format, in which other runtimes execute models.
//!
//! A model is exported by running it: its operations on the way from the inputs to the outputs become nodes of the file, in opset 17,
//! and its parameters initializers with their paths as names. The tape is not one of training, so dropout is the identity and batch
//! normalization uses its running statistics.
//!
//! Recurrent layers become layers of ONNX; attention becomes what it is composed of. An [`EmbeddingBag`](crate::nn::EmbeddingBag)
//! has no counterpart: look up with an [`Embedding`](crate::nn::Embedding), and sum.
//!
//! What the program computes from other values than the inputs, such as masks, becomes constants; so do frozen parameters.

mod graph;
mod messages;
mod operations;
mod parts;
mod recurrent;
mod rotary;
mod windows;

use crate::autograd::tape::{Content, NodeId};
use crate::autograd::trace::{Step, Tracer};
use crate::autograd::{Tape, Var};
use crate::error::{Error, Mismatch};
use crate::file;
use crate::io::protobuf::Message;
use crate::nn::Module;
use crate::panics;
use crate::tensor::{Indices, Tensor};
use graph::{Graph, Operation};
use messages::Element;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

/// The version of the file format, and of the set of operators.
const VERSIONS: [i64; 2] = [8, 17];
/// The size above which protocol buffers cannot be read.
const MAX_FILE: usize = (1 << 31) - 1;
/// The name of the first axis, if its size is left open.
const BATCH: &str = "batch";

/// Exports a model to ONNX.
///
/// ```
/// use wengert::io::onnx::Export;
/// use wengert::prelude::*;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("model.onnx");
/// struct Mlp { hidden: Linear, output: Linear }
/// module!(Mlp { hidden, output });
///
/// # let mut rng = wengert::rng(0);
/// let model = Mlp { hidden: Linear::new(4, 3, Init::He, &mut rng), output: Linear::new(3, 2, Init::He, &mut rng) };
/// Export::new(&model)
///     .input("x", Tensor::zeros([1, 4]))
///     .any_batch()
///     .save(|inputs| vec![("y", model.output.forward(&model.hidden.forward(&inputs.values("x")).relu()))], &path)?;
/// // In Python: onnxruntime.InferenceSession("model.onnx").run(None, {"x": numpy.zeros((5, 4), "f4")})
/// # Ok::<(), wengert::Error>(())
/// ```
#[must_use = "nothing is exported until `save`"]
pub struct Export<'a> {
    model: &'a dyn Module,
    inputs: Vec<(String, Example)>,
    any_batch: bool,
}

/// An example of an input.
#[derive(Clone, Debug)]
enum Example {
    Values(Tensor),
    Indices(Indices),
}

impl Example {
    fn shape(&self) -> &[usize] {
        match self {
            Example::Values(values) => values.shape(),
            Example::Indices(indices) => indices.shape(),
        }
    }

    fn element(&self) -> Element {
        match self {
            Example::Values(_) => Element::Float,
            Example::Indices(_) => Element::Integer,
        }
    }

    /// The same with the first sample once more at the end.
    fn enlarged(&self) -> Self {
        fn repeat<E: Copy>(elements: &[E], shape: &[usize]) -> (Vec<E>, Vec<usize>) {
            let sample = elements.len() / shape[0].max(1);
            let more = [elements, &elements[..sample]].concat();
            (more, [&[shape[0] + 1], &shape[1..]].concat())
        }
        match self {
            _ if self.shape().is_empty() => self.clone(),
            Example::Values(values) => {
                let (elements, shape) = repeat(values.as_slice(), values.shape());
                Example::Values(Tensor::from_vec(elements, shape))
            }
            Example::Indices(indices) => {
                let (elements, shape) = repeat(indices.as_slice(), indices.shape());
                Example::Indices(Indices::new(elements, shape))
            }
        }
    }
}

/// The inputs of a run of the model.
#[derive(Debug)]
pub struct Inputs<'a> {
    tape: &'a Tape,
    examples: &'a [(String, Example)],
    /// The variables of the inputs of numbers.
    variables: Vec<(&'a str, Var)>,
}

impl Inputs<'_> {
    /// The tape of the run.
    pub fn tape(&self) -> &Tape {
        self.tape
    }

    /// An input of numbers.
    ///
    /// # Panics
    /// If there is none of that name.
    #[track_caller]
    pub fn values(&self, name: &str) -> Var {
        match self.variables.iter().find(|(other, _)| *other == name) {
            Some((_, variable)) => variable.clone(),
            None => panics::no_input("values", name),
        }
    }

    /// An input of indices.
    ///
    /// # Panics
    /// If there is none of that name.
    #[track_caller]
    pub fn indices(&self, name: &str) -> Indices {
        match self.examples.iter().find(|(other, _)| other == name) {
            Some((_, Example::Indices(indices))) => indices.clone(),
            _ => panics::no_input("indices", name),
        }
    }
}

impl<'a> Export<'a> {
    /// An export of a model, whose parameters keep their paths.
    pub fn new<M: Module>(model: &'a M) -> Self {
        Export { model, inputs: Vec::new(), any_batch: false }
    }

    /// Adds an input, with an example of it.
    pub fn input(mut self, name: &str, example: impl Into<Tensor>) -> Self {
        self.inputs.push((name.into(), Example::Values(example.into())));
        self
    }

    /// Adds an input of indices, such as tokens, with an example of it. Lookups of exactly these indices become lookups of the input,
    /// so they should differ from all others, such as positions.
    pub fn indices(mut self, name: &str, example: impl Into<Indices>) -> Self {
        self.inputs.push((name.into(), Example::Indices(example.into())));
        self
    }

    /// Leaves the size of the first axis of all inputs and outputs open.
    ///
    /// The model is run with two sizes to find out what depends on it.
    pub fn any_batch(mut self) -> Self {
        self.any_batch = true;
        self
    }

    /// Runs a model, which returns its outputs with their names, and writes the file, atomically replacing an existing one.
    ///
    /// # Errors
    /// If the file cannot be written, or ONNX cannot express what the model does: the error lists every such operation with its
    /// source line. An existing file is then left unchanged.
    pub fn save<'n>(
        &self,
        model: impl Fn(&Inputs) -> Vec<(&'n str, Var)>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let mut runs = vec![self.run(&self.inputs, &model)];
        if self.any_batch {
            let enlarged: Vec<_> = self.inputs.iter().map(|(name, x)| (name.clone(), x.enlarged())).collect();
            runs.push(self.run(&enlarged, &model));
        }
        self.write(&runs, path.as_ref())
    }

    /// Runs the model with examples of its inputs.
    fn run<'n>(&self, inputs: &[(String, Example)], model: impl Fn(&Inputs) -> Vec<(&'n str, Var)>) -> Run {
        let tape = Tape::new().traced(&Tracer { kept: &["gru", "lstm", "rnn"] });
        tape.name_parameters(self.model);
        let variables: Vec<(&str, Var)> = inputs
            .iter()
            .filter_map(|(name, example)| match example {
                Example::Values(values) => Some((name.as_str(), tape.var(values))),
                Example::Indices(_) => None,
            })
            .collect();
        let mut leaves: HashMap<NodeId, String> =
            variables.iter().filter_map(|(name, x)| Some((x.node()?, name.to_string()))).collect();
        let outputs = model(&Inputs { tape: &tape, examples: inputs, variables });
        let outputs = outputs.into_iter().map(|(name, y)| (name.to_string(), y.node(), y.value().clone())).collect();
        for (id, node) in tape.list().nodes() {
            if let Content::Parameter(param) = node.content {
                // A parameter alone has no path, and one of another model has none either.
                let path = tape.path(param).filter(|path| !path.is_empty());
                leaves.insert(id, path.unwrap_or_else(|| format!("parameter_{}", id.index())));
            }
        }
        Run { inputs: inputs.to_vec(), leaves, steps: tape.take_trace(), outputs }
    }

    #[inline(never)]
    fn write(&self, runs: &[Run], path: &Path) -> Result<(), Error> {
        let mut graph = Graph::new(&runs[0]);
        let mismatches = add(&mut graph, runs);
        Error::check_mismatches(path, mismatches)?;
        let named = |axis: usize| (self.any_batch && axis == 0).then_some(BATCH);
        let mut message =
            Message::default().messages(1, &graph.nodes).text(2, "model").messages(5, &graph.used_initializers());
        for (name, example) in &runs[0].inputs {
            message = message.message(11, &messages::value(name, example.element(), example.shape(), named));
        }
        for (name, _, value) in &runs[0].outputs {
            message = message.message(12, &messages::value(name, Element::Float, value.shape(), named));
        }
        let opset = Message::default().text(1, "").integer(2, VERSIONS[1]);
        let model =
            Message::default().integer(1, VERSIONS[0]).text(2, "wengert").message(7, &message).message(8, &opset);
        if model.as_bytes().len() > MAX_FILE {
            let size = format!("{} bytes", model.as_bytes().len());
            return Error::check_mismatches(path, vec![Mismatch::new("model", "less than 2 GiB", size)]);
        }
        file::replace(path, |writer| writer.write_all(model.as_bytes()))
    }
}

/// A run of the model.
struct Run {
    inputs: Vec<(String, Example)>,
    /// The names of the inputs and the parameters.
    leaves: HashMap<NodeId, String>,
    steps: Vec<Step<f32>>,
    outputs: Vec<(String, Option<NodeId>, Tensor)>,
}

impl Run {
    /// Whether each step is on the way to an output.
    fn needed(&self) -> Vec<bool> {
        let mut nodes: HashSet<NodeId> = self.outputs.iter().filter_map(|(_, node, _)| *node).collect();
        let mut needed = vec![false; self.steps.len()];
        for (step, needed) in self.steps.iter().zip(&mut needed).rev() {
            *needed = nodes.contains(&step.node);
            if *needed {
                nodes.extend(step.sources.iter().flatten());
            }
        }
        needed
    }
}

/// Adds all that the outputs need to a graph; returns what has no counterpart.
fn add(graph: &mut Graph, runs: &[Run]) -> Vec<Mismatch> {
    let (first, second) = (&runs[0], runs.get(1));
    let names = |run: &Run| run.steps.iter().map(|step| step.name).collect::<Vec<_>>();
    if second.is_some_and(|run| names(run) != names(first)) {
        return vec![Mismatch::new("batch", "the same operations for every size", "others")];
    }
    let mut mismatches = Vec::new();
    for (k, (step, needed)) in first.steps.iter().zip(first.needed()).enumerate() {
        if !needed {
            continue;
        }
        let name = add_step(graph, step, second.map(|run| &run.steps[k])).unwrap_or_else(|found| {
            let name = format!("{} at {}", step.name, step.at);
            mismatches.push(Mismatch::new(&name, "an operation that ONNX expresses", found));
            String::new()
        });
        graph.define(step.node, name);
    }
    for (k, (name, node, value)) in first.outputs.iter().enumerate() {
        match graph.value(*node, value, second.map(|run| &run.outputs[k].2)) {
            Ok(found) => graph.write_node("Identity", &[&found], &[name], &[]),
            Err(found) => mismatches.push(Mismatch::new(name, "a value of the model", found)),
        }
    }
    mismatches
}

/// Adds the nodes of an operation; returns the name of its value.
fn add_step(graph: &mut Graph, step: &Step<f32>, other: Option<&Step<f32>>) -> Result<String, String> {
    let input = |(k, x)| graph.value(step.sources[k], x, other.map(|other| &other.inputs[k]));
    let inputs = step.inputs.iter().enumerate().map(input).collect::<Result<_, String>>()?;
    operations::write(graph, &Operation { step, other, inputs })
}
