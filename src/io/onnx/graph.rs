//! The graph of a file under construction: its nodes, its constants and the names of its values.

use super::Run;
use super::messages::{self, Attribute, Element};
use crate::autograd::Setting;
use crate::autograd::tape::NodeId;
use crate::autograd::trace::Step;
use crate::io::protobuf::Message;
use crate::tensor::Tensor;
use std::collections::{HashMap, HashSet};

/// The graph under construction.
pub(super) struct Graph<'a> {
    pub(super) run: &'a Run,
    /// The run with other values of the inputs.
    pub(super) varied: &'a Run,
    /// The names of the values so far.
    names: HashMap<NodeId, String>,
    pub(super) nodes: Vec<Message>,
    /// The constants by name, and the names that nodes read.
    initializers: Vec<(String, Message)>,
    used: HashSet<String>,
    /// The number of names that were made.
    count: usize,
    /// The name of the size of the batch, if that is read.
    batch: Option<String>,
    /// The parts of values that are several outputs of a node: where each begins, and its name.
    parts: HashMap<String, Vec<(usize, String)>>,
}

/// Sizes as ONNX has them.
pub(super) fn signed(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|&size| size as i64).collect()
}

/// The sizes that two shapes have in common; `None` for the axis whose size depends on the batch. `Err` if there are several.
pub(super) fn common(a: &[usize], b: &[usize]) -> Result<Vec<Option<usize>>, String> {
    let shape: Vec<_> = a.iter().zip(b).map(|(&a, &b)| (a == b).then_some(a)).collect();
    match shape.iter().filter(|size| size.is_none()).count() {
        _ if a.len() != b.len() => Err("a number of axes that depends on the batch".into()),
        0 | 1 => Ok(shape),
        _ => Err("several sizes that depend on the batch".into()),
    }
}

/// An operation to be written.
pub(super) struct Operation<'a> {
    pub(super) step: &'a Step<f32>,
    /// The same in the run with other values of the inputs.
    pub(super) varied: &'a Step<f32>,
    /// The same in the run with a larger batch.
    pub(super) other: Option<&'a Step<f32>>,
    /// The names of its inputs.
    pub(super) inputs: Vec<String>,
}

impl Operation<'_> {
    /// The shape of its value; `None` for the axis that depends on the batch. `Err` if there are several.
    pub(super) fn shape(&self) -> Result<Vec<Option<usize>>, String> {
        common(self.step.value.shape(), self.other.unwrap_or(self.step).value.shape())
    }

    /// A setting, which must not depend on the batch.
    pub(super) fn setting(&self, name: &str) -> Result<&Setting, String> {
        let setting = self.step.settings.value(name);
        if self.other.is_some_and(|other| other.settings.value(name) != setting) {
            return Err(format!("a setting that depends on the batch: {name}"));
        }
        setting.ok_or_else(|| format!("one without the setting {name}"))
    }

    /// A setting that is a number.
    pub(super) fn number(&self, name: &str) -> Result<f64, String> {
        match self.setting(name)? {
            Setting::Number(number) => Ok(*number),
            other => Err(format!("{name} in another form: {other:?}")),
        }
    }

    /// A setting that is a list of integers.
    pub(super) fn integers(&self, name: &str) -> Result<&[usize], String> {
        match self.setting(name)? {
            Setting::Integers(integers) => Ok(integers),
            other => Err(format!("{name} in another form: {other:?}")),
        }
    }

    /// A setting that is a list of integers, of which some may be negative.
    pub(super) fn signed(&self, name: &str) -> Result<&[isize], String> {
        match self.setting(name)? {
            Setting::Signed(integers) => Ok(integers),
            other => Err(format!("{name} in another form: {other:?}")),
        }
    }

    /// Settings that are lists of integers, as attributes have them.
    pub(super) fn settings<const N: usize>(&self, names: [&str; N]) -> Result<[Vec<i64>; N], String> {
        let mut lists = [const { Vec::new() }; N];
        for (list, name) in lists.iter_mut().zip(names) {
            *list = signed(self.integers(name)?);
        }
        Ok(lists)
    }

    /// A setting that is one integer.
    pub(super) fn integer(&self, name: &str) -> Result<i64, String> {
        Ok(self.integers(name)?[0] as i64)
    }

    /// A setting that is a value.
    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor<f64>, String> {
        match self.setting(name)? {
            Setting::Tensor(tensor) => Ok(tensor),
            other => Err(format!("{name} in another form: {other:?}")),
        }
    }
}

impl<'a> Graph<'a> {
    pub(super) fn new(run: &'a Run, varied: &'a Run) -> Self {
        let (nodes, initializers, used) = (Vec::new(), Vec::new(), HashSet::new());
        let (names, parts) = (HashMap::new(), HashMap::new());
        let mut graph = Graph { run, varied, names, nodes, initializers, used, count: 0, batch: None, parts };
        for name in run.inputs.iter().map(|(name, _)| name) {
            let node = run.leaves.iter().find(|(_, other)| *other == name);
            graph.names.extend(node.map(|(&node, name)| (node, name.clone())));
        }
        graph
    }

    /// Sets the name of the value of a node.
    pub(super) fn define(&mut self, node: NodeId, name: String) {
        self.names.insert(node, name);
    }

    /// The name of a value. One that no operation computed is a parameter or a constant, which must be the same in other runs.
    pub(super) fn value(
        &mut self,
        node: Option<NodeId>,
        value: &Tensor,
        varied: &Tensor,
        other: Option<&Tensor>,
    ) -> Result<String, String> {
        if let Some(name) = node.and_then(|node| self.names.get(&node)) {
            return Ok(name.clone());
        }
        if varied != value {
            return Err("a constant that depends on the values of the inputs".into());
        }
        if let Some(other) = other.filter(|&other| other != value) {
            return self.repeated(value, other).ok_or_else(|| "a constant that depends on the batch".into());
        }
        let leaf = node.and_then(|node| self.run.leaves.get(&node)).cloned();
        let name = leaf.unwrap_or_else(|| self.fresh("constant"));
        self.initialize(&name, Element::Float, value.shape(), value.as_slice().iter().flat_map(|x| x.to_le_bytes()));
        self.names.extend(node.map(|node| (node, name.clone())));
        Ok(name)
    }

    /// A constant that is the same for every sample, repeated for each of a batch; `None` if it is not.
    fn repeated(&mut self, value: &Tensor, other: &Tensor) -> Option<String> {
        let (shape, longer) = (value.shape(), other.shape());
        let axis = shape.iter().zip(longer).position(|(a, b)| a != b)?;
        let of_sample = value.slice(axis, 0..1);
        let fits =
            shape.len() == longer.len() && shape[axis + 1..] == longer[axis + 1..] && shape[axis] == self.samples();
        if !fits || *value != of_sample.expand_to(shape) || *other != of_sample.expand_to(longer) {
            return None;
        }
        let row = self.constant(of_sample.as_slice(), of_sample.shape());
        let sizes: Vec<_> = (0..shape.len()).map(|k| (k != axis).then_some(1)).collect();
        let sizes = self.sizes(&sizes);
        Some(self.node("Expand", &[&row, &sizes], &[]))
    }

    /// The number of samples in the run.
    pub(super) fn samples(&self) -> usize {
        self.run.inputs.iter().find_map(|(_, input)| input.shape().first().copied()).unwrap_or_default()
    }

    /// Gives a value the shape of that of an operation.
    pub(super) fn reshape(&mut self, op: &Operation, x: &str) -> Result<String, String> {
        Ok(self.reshape_to(&op.shape()?, x))
    }

    /// Gives a value a shape, in which `None` is the rest.
    pub(super) fn reshape_to(&mut self, shape: &[Option<usize>], x: &str) -> String {
        let shape: Vec<i64> = shape.iter().map(|size| size.map_or(-1, |size| size as i64)).collect();
        let shape = self.integers(&shape, &[shape.len()]);
        self.node("Reshape", &[x, &shape], &[])
    }

    /// A shape, in which `None` is the size of the batch.
    pub(super) fn sizes(&mut self, sizes: &[Option<usize>]) -> String {
        let integers = |sizes: &[Option<usize>]| sizes.iter().flatten().map(|&size| size as i64).collect::<Vec<_>>();
        let Some(axis) = sizes.iter().position(Option::is_none) else {
            return self.integers(&integers(sizes), &[sizes.len()]);
        };
        let (before, after) = (integers(&sizes[..axis]), integers(&sizes[axis..]));
        let before = self.integers(&before, &[before.len()]);
        let after = self.integers(&after, &[after.len()]);
        let batch = self.batch();
        self.node("Concat", &[&before, &batch, &after], &[("axis", Attribute::Integer(0))])
    }

    /// The size of the batch, as a vector.
    fn batch(&mut self) -> String {
        let inputs = &self.run.inputs;
        if self.batch.is_none()
            && let Some((name, _)) = inputs.iter().find(|(_, input)| !input.shape().is_empty())
        {
            let first = [("start", Attribute::Integer(0)), ("end", Attribute::Integer(1))];
            self.batch = Some(self.node("Shape", &[name], &first));
        }
        self.batch.clone().unwrap_or_default()
    }

    fn initialize(&mut self, name: &str, element: Element, shape: &[usize], bytes: impl Iterator<Item = u8>) {
        self.initializers.push((name.into(), messages::tensor(name, element, shape, &bytes.collect::<Vec<_>>())));
    }

    /// The constants that nodes read, in their order.
    pub(super) fn used_initializers(&mut self) -> Vec<Message> {
        let all = std::mem::take(&mut self.initializers);
        all.into_iter().filter(|(name, _)| self.used.contains(name)).map(|(_, message)| message).collect()
    }

    /// A name that nothing else has: paths of parameters and names of inputs have no slash in front.
    fn fresh(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("/{kind}_{}", self.count)
    }

    /// Adds a node; returns the name of its output.
    pub(super) fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let name = self.fresh(operator);
        self.write_node(operator, inputs, &[&name], attributes);
        name
    }

    /// Adds a node with several outputs; returns their names.
    pub(super) fn node_of_outputs(
        &mut self,
        operator: &str,
        inputs: &[&str],
        count: usize,
        attributes: &[(&str, Attribute)],
    ) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|_| self.fresh(operator)).collect();
        self.write_node(operator, inputs, &names.iter().map(String::as_str).collect::<Vec<_>>(), attributes);
        names
    }

    /// Adds a node with several outputs, whose elements follow each other in the value of an operation: its name is that of the first.
    pub(super) fn node_of_parts(
        &mut self,
        operator: &str,
        inputs: &[&str],
        lengths: &[usize],
        attributes: &[(&str, Attribute)],
    ) -> String {
        let names = self.node_of_outputs(operator, inputs, lengths.len(), attributes);
        let starts = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end - length)
        });
        let first = names[0].clone();
        self.parts.insert(first.clone(), starts.zip(names).collect());
        first
    }

    /// The output that begins at an element of a value, if the value consists of outputs.
    pub(super) fn part(&self, name: &str, start: usize) -> Option<String> {
        self.parts.get(name)?.iter().find(|(other, _)| *other == start).map(|(_, name)| name.clone())
    }

    /// Adds a node with the given outputs.
    pub(super) fn write_node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: &[(&str, Attribute)],
    ) {
        self.used.extend(inputs.iter().map(|input| input.to_string()));
        self.nodes.push(messages::node(operator, inputs, outputs, attributes));
    }

    /// A setting that is a number: a constant, or a multiple of the size of the batch, perhaps without 1, as in means and variances.
    pub(super) fn number_of(&mut self, op: &Operation, name: &str) -> Result<String, String> {
        let settings = [Some(op.step), op.other].map(|step| step?.settings.value(name));
        let [Some(Setting::Number(of_batch)), Some(Setting::Number(of_larger))] = settings else {
            return Ok(self.number(op.number(name)?));
        };
        let slope = of_larger - of_batch;
        let rest = of_batch - slope * self.samples() as f64;
        // Two sizes determine no other function: its rest would be neither 0 nor −1.
        if slope <= 0.0 || *of_batch <= 0.0 || !(rest == 0.0 || rest == -1.0) {
            return Ok(self.number(op.number(name)?));
        }
        let batch = self.batch();
        let scalar = self.integers(&[], &[0]);
        let batch = self.node("Reshape", &[&batch, &scalar], &[]);
        let batch = self.node("Cast", &[&batch], &[("to", Attribute::Integer(Element::Float as i64))]);
        let (slope, rest) = (self.number(slope), self.number(rest));
        let multiple = self.node("Mul", &[&batch, &slope], &[]);
        Ok(self.node("Add", &[&multiple, &rest], &[]))
    }

    /// A constant of one number.
    pub(super) fn number(&mut self, number: f64) -> String {
        self.constant(&[number as f32], &[])
    }

    pub(super) fn constant(&mut self, numbers: &[f32], shape: &[usize]) -> String {
        let name = self.fresh("constant");
        self.initialize(&name, Element::Float, shape, numbers.iter().flat_map(|x| x.to_le_bytes()));
        name
    }

    /// A constant of integers.
    pub(super) fn integers(&mut self, numbers: &[i64], shape: &[usize]) -> String {
        let name = self.fresh("constant");
        self.initialize(&name, Element::Integer, shape, numbers.iter().flat_map(|n| n.to_le_bytes()));
        name
    }

    /// A constant of a setting.
    pub(super) fn values(&mut self, tensor: &Tensor<f64>) -> String {
        let numbers: Tensor = tensor.cast();
        self.constant(numbers.as_slice(), tensor.shape())
    }

    /// A constant that is true where a mask is not 0.
    pub(super) fn mask(&mut self, mask: &Tensor<f64>) -> String {
        let name = self.fresh("mask");
        self.initialize(&name, Element::Boolean, mask.shape(), mask.as_slice().iter().map(|&x| u8::from(x != 0.0)));
        name
    }
}
