//! The ONNX format, in which other runtimes execute models.
//!
//! A model is exported by running it: its operations on the way from the inputs to the outputs become nodes of the file, in opset 17,
//! and its parameters initializers with their paths as names. The tape is not one of training, so dropout is the identity and batch
//! normalization uses its running statistics.
//!
//! Recurrent layers become layers of ONNX; attention becomes what it is composed of. Of linear algebra ONNX has matrix products and
//! determinants: [`Var::inverse`], [`Var::solve`], [`Var::cholesky`] and what is based on them cannot be exported. An
//! [`EmbeddingBag`](crate::nn::EmbeddingBag) can for bags of one size and a batch of fixed size; otherwise look up with an
//! [`Embedding`](crate::nn::Embedding), and sum.
//!
//! What the program computes from other values than the inputs, such as masks, becomes constants; so do frozen parameters. What it
//! computes from the inputs by other means than operations of the tape, such as the order of [`Var::sort`], a mask of their values or a
//! derivative, is an error: the model is run with other values of the inputs to find out.

mod graph;
mod losses;
mod messages;
mod operations;
mod parts;
mod recurrent;
mod rotary;
mod scans;
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

    /// Other values in the same range: these in the reverse order, or some between 0 and 1 if all are equal.
    fn varied(&self) -> Self {
        match self {
            Example::Values(values) => {
                let elements = values.as_slice();
                let equal = elements.iter().all(|x| *x == elements[0]);
                // Multiples of the golden ratio, which are neither equal nor in order.
                let other = |(k, &x): (usize, &f32)| if equal { (0.618_034 * (k + 1) as f32).fract() } else { x };
                let reverse = elements.iter().rev().enumerate().map(other).collect();
                Example::Values(Tensor::from_vec(reverse, values.shape()))
            }
            Example::Indices(indices) => {
                let reverse: Vec<usize> = indices.as_slice().iter().rev().copied().collect();
                Example::Indices(Indices::new(reverse, indices.shape()))
            }
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

    /// Adds an input, with an example of it. The model is also run with its values in the reverse order.
    pub fn input(mut self, name: &str, example: impl Into<Tensor>) -> Self {
        self.inputs.push((name.into(), Example::Values(example.into())));
        self
    }

    /// Adds an input of indices, such as tokens, with an example of it. Lookups of exactly these indices become lookups of the input.
    ///
    /// The example should differ from that of other inputs and not be the same backwards, since the model is also run with the
    /// indices in the reverse order, to tell the input from constants such as positions.
    pub fn indices(mut self, name: &str, example: impl Into<Indices>) -> Self {
        self.inputs.push((name.into(), Example::Indices(example.into())));
        self
    }

    /// Leaves the size of the first axis of all inputs and outputs open.
    ///
    /// The model is run with two sizes to find out what depends on it. Means and variances over the batch divide by its size.
    pub fn any_batch(mut self) -> Self {
        self.any_batch = true;
        self
    }

    /// Runs a model two or three times, which returns its outputs with their names, and writes the file, atomically replacing an
    /// existing one.
    ///
    /// # Errors
    /// If the file cannot be written, or ONNX cannot express what the model does: the error lists every such operation with its
    /// source line. An existing file is then left unchanged.
    pub fn save<'n>(
        &self,
        model: impl Fn(&Inputs) -> Vec<(&'n str, Var)>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let run = |of: fn(&Example) -> Example| {
            let inputs: Vec<_> = self.inputs.iter().map(|(name, x)| (name.clone(), of(x))).collect();
            self.run(&inputs, &model)
        };
        let varied = run(Example::varied);
        let runs = Runs { first: run(Example::clone), varied, larger: self.any_batch.then(|| run(Example::enlarged)) };
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
    fn write(&self, runs: &Runs, path: &Path) -> Result<(), Error> {
        let mut graph = Graph::new(&runs.first, &runs.varied);
        let mismatches = add(&mut graph, runs);
        Error::check_mismatches(path, mismatches)?;
        let mut message =
            Message::default().messages(1, &graph.nodes).text(2, "model").messages(5, &graph.used_initializers());
        for (name, example) in &runs.first.inputs {
            let named = |axis: usize| (self.any_batch && axis == 0).then_some(BATCH);
            message = message.message(11, &messages::value(name, example.element(), example.shape(), named));
        }
        for (k, (name, _, value)) in runs.first.outputs.iter().enumerate() {
            let larger = runs.larger.as_ref().map_or(value, |run| &run.outputs[k].2);
            let named = |axis: usize| (value.shape().get(axis) != larger.shape().get(axis)).then_some(BATCH);
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

/// The runs of the model, from which its graph is read off.
struct Runs {
    first: Run,
    /// With other values of the inputs, to find out what depends on them without being an operation.
    varied: Run,
    /// With a larger batch, to find out what depends on its size.
    larger: Option<Run>,
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
fn add(graph: &mut Graph, runs: &Runs) -> Vec<Mismatch> {
    let Runs { first, varied, larger } = runs;
    let names = |run: &Run| run.steps.iter().map(|step| step.name).collect::<Vec<_>>();
    if names(varied) != names(first) {
        return vec![Mismatch::new("model", "the same operations for all values of the inputs", "others")];
    }
    if larger.as_ref().is_some_and(|run| names(run) != names(first)) {
        return vec![Mismatch::new("batch", "the same operations for every size", "others")];
    }
    let mut mismatches = Vec::new();
    for (k, (step, needed)) in first.steps.iter().zip(first.needed()).enumerate() {
        if !needed {
            continue;
        }
        let other = larger.as_ref().map(|run| &run.steps[k]);
        let op = Operation { step, varied: &varied.steps[k], other, inputs: Vec::new() };
        let name = add_operation(graph, op).unwrap_or_else(|found| {
            let name = format!("{} at {}", step.name, step.at);
            mismatches.push(Mismatch::new(&name, "an operation that ONNX expresses", found));
            String::new()
        });
        graph.define(step.node, name);
    }
    for (k, (name, node, value)) in first.outputs.iter().enumerate() {
        let other = larger.as_ref().map(|run| &run.outputs[k].2);
        match graph.value(*node, value, &varied.outputs[k].2, other) {
            Ok(found) => graph.write_node("Identity", &[&found], &[name], &[]),
            Err(found) => mismatches.push(Mismatch::new(name, "a value of the model", found)),
        }
    }
    mismatches
}

/// Adds the nodes of an operation, whose inputs have no names yet; returns the name of its value.
fn add_operation(graph: &mut Graph, mut op: Operation) -> Result<String, String> {
    let Operation { step, varied, other, .. } = op;
    for (k, x) in step.inputs.iter().enumerate() {
        let other = other.map(|other| &other.inputs[k]);
        op.inputs.push(graph.value(step.sources[k], x, &varied.inputs[k], other)?);
    }
    for ((name, setting), (_, of_varied)) in step.settings.values().iter().zip(varied.settings.values()) {
        if setting != of_varied && parts::input(graph, &op, name).is_none() {
            return Err(format!("a setting that depends on the values of the inputs: {name}"));
        }
    }
    if step.value.shape() != varied.value.shape() {
        return Err("a shape that depends on the values of the inputs".into());
    }
    operations::write(graph, &op)
}
