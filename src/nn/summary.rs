//! The printable summary of a model.

use super::cost;
use super::{Module, Path};
use crate::autograd::trace::Tracer;
use crate::autograd::{Mode, Param, Tape};
use crate::inspect::Graph;
use crate::tensor::Float;
use std::fmt::{self, Display, Formatter};

/// The layers of a model with their parameters, returned by [`Module::summary`] and [`Module::summary_of`]; `Display` prints a table.
#[derive(Clone, Debug)]
pub struct Summary {
    layers: Vec<Layer>,
    /// What the operations cost that belong to no layer; `None` if the model was not run.
    rest: Option<Cost>,
}

/// A module that directly contains parameters.
#[derive(Clone, Debug)]
struct Layer {
    path: String,
    kind: &'static str,
    parameters: Vec<String>,
    count: usize,
    /// The shape of its output, if the model was run.
    output: Option<Vec<usize>>,
    cost: Cost,
}

/// What operations cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    operations: usize,
    bytes: usize,
}

/// A visit of the parameters of a module.
type Traversal<'a, T> = dyn Fn(&mut Path, &mut dyn FnMut(&Path, &Param<T>)) + 'a;

impl Summary {
    /// Collects the parameters of a traversal, one row per module.
    #[inline(never)]
    pub(super) fn of<T: Float>(visit: &Traversal<T>) -> Self {
        let mut layers: Vec<Layer> = Vec::new();
        visit(&mut Path::new(), &mut |path, param| {
            let (module, kind, name) = path.split();
            if layers.last().is_none_or(|layer| layer.path != module) {
                let (path, parameters, cost) = (module.into(), Vec::new(), Cost::default());
                layers.push(Layer { path, kind, parameters, count: 0, output: None, cost });
            }
            let layer = layers.last_mut().expect("just pushed");
            layer.parameters.push(format!("{name} {:?}", param.shape()));
            layer.count += usize::from(param.is_trainable()) * param.value().len();
            layer.cost.bytes += param.value().len() * size_of::<T>();
        });
        Summary { layers, rest: None }
    }

    /// Runs a model, and adds what its operations cost to the layers that they belong to.
    #[inline(never)]
    pub(super) fn measured<T: Float, M: Module<T> + ?Sized>(mut self, model: &M, run: impl FnOnce(&Tape<T>)) -> Self {
        let tape = Tape::with_mode(Mode::Differentiable).traced(&Tracer { kept: &[] });
        tape.name_parameters(model);
        run(&tape);
        self.add(&tape);
        self
    }

    fn add<T: Float>(&mut self, tape: &Tape<T>) {
        let (steps, graph) = (tape.take_trace(), Graph::of(tape));
        let mut rest = Cost::default();
        for step in &steps {
            let mut group = graph.vertices[step.node.index()].group;
            let mut found = None;
            while let (None, Some(inside)) = (found, group) {
                let inside = &graph.groups[inside];
                found = self.layers.iter().position(|layer| layer.path == inside.path);
                group = inside.parent;
            }
            let cost = match found.map(|found| &mut self.layers[found]) {
                Some(layer) => {
                    layer.output = Some(step.value.shape().to_vec());
                    &mut layer.cost
                }
                None => &mut rest,
            };
            cost.operations += cost::operations(step);
            cost.bytes += cost::bytes(step);
        }
        self.rest = Some(rest);
    }

    /// The floating-point operations of the pass, two for each multiply-add; 0 if the model was not run.
    #[doc(alias("FLOPs", "MACs"))]
    pub fn operations(&self) -> usize {
        self.layers.iter().map(|layer| layer.cost).chain(self.rest).map(|cost| cost.operations).sum()
    }

    /// The memory, in bytes, of parameters, buffers and the values that the pass computes.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.cost).chain(self.rest).map(|cost| cost.bytes).sum()
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let mut rows = vec![["layer", "type", "parameters", "count", "output", "FLOPs", "bytes"].map(String::from)];
        let numbers = |cost: Cost| [grouped(cost.operations), grouped(cost.bytes)];
        for layer in &self.layers {
            let [operations, bytes] = numbers(layer.cost);
            let output = layer.output.as_ref().map_or(String::new(), |shape| format!("{shape:?}"));
            let (path, parameters) = (layer.path.clone(), layer.parameters.join(", "));
            rows.push([path, layer.kind.into(), parameters, grouped(layer.count), output, operations, bytes]);
        }
        if let Some(cost) = self.rest.filter(|cost| cost.bytes > 0) {
            let [operations, bytes] = numbers(cost);
            let empty = String::new;
            rows.push(["other operations".into(), empty(), empty(), empty(), empty(), operations, bytes]);
        }
        let [operations, bytes] = numbers(Cost { operations: self.operations(), bytes: self.bytes() });
        let total = grouped(self.layers.iter().map(|layer| layer.count).sum());
        rows.push(["total".into(), String::new(), String::new(), total, String::new(), operations, bytes]);
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [path, kind, parameters, count, output, operations, bytes] = [0, 1, 2, 3, 4, 5, 6].map(width);
        for [a, b, c, d, e, g, h] in &rows {
            write!(f, "{a:<path$}  {b:<kind$}  {c:<parameters$}  {d:>count$}")?;
            if self.rest.is_some() {
                write!(f, "  {e:<output$}  {g:>operations$}  {h:>bytes$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Formats a number with a space between groups of three digits.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(" ")
}
