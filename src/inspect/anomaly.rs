//! The search for the first NaN or infinity.
//!
//! In the forward pass a value is an anomaly if it contains a NaN, or an infinity although neither the inputs nor the settings of the
//! operation do: masking with −∞ is fine. In the backward pass every NaN or infinity is an anomaly. Values inside a rule are not
//! checked, only the gradients it returns.

use crate::autograd::apply::AnyOp;
use crate::autograd::diagnostics::Observer;
use crate::autograd::op::BackwardContext;
use crate::autograd::tape::{Content, NodeId};
use crate::autograd::{Description, Save, Tape, Var};
use crate::panics;
use crate::tensor::{Float, Tensor};
use std::fmt::{self, Display, Formatter};
use std::panic::Location;

/// The number of parameters that a message lists by name.
const MAX_LISTED: usize = 6;

impl<T: Float> Tape<T> {
    /// Makes this tape panic at the first NaN or infinity in a value or gradient.
    ///
    /// The message has the operation and its source line, the ranges of its inputs, and the parameters it depends on, by path after
    /// [`name_parameters`](Tape::name_parameters). Infinities that the program itself introduces, as in a mask, are not reported.
    /// Scans every value, so use it for debugging only.
    ///
    /// ```should_panic
    /// use wengert::prelude::*;
    ///
    /// let tape = Tape::new().detect_anomaly();
    /// let x = tape.var([0.5, 0.0]);
    /// x.ln(); // panics: ln: its value is the first on this tape that is not finite: shape [2], -0.6931 to -0.6931, 1 infinity …
    /// ```
    #[inline(never)]
    #[doc(alias = "set_detect_anomaly")]
    pub fn detect_anomaly(self) -> Self {
        self.diagnostics().observer.set(Some(&AnomalyDetector));
        self
    }
}

/// Counts and range of a tensor's elements.
struct TensorStats {
    shape: Vec<usize>,
    nans: usize,
    infinities: usize,
    /// The range of the finite elements, if there are any.
    range: Option<(f64, f64)>,
}

impl TensorStats {
    fn of<T: Float>(x: &Tensor<T>) -> Self {
        let mut stats = TensorStats { shape: x.shape().to_vec(), nans: 0, infinities: 0, range: None };
        for x in x.as_slice().iter().map(|x| x.to_f64()) {
            match x {
                _ if x.is_nan() => stats.nans += 1,
                _ if x.is_infinite() => stats.infinities += 1,
                _ => stats.range = stats.range.map_or(Some((x, x)), |(low, high)| Some((low.min(x), high.max(x)))),
            }
        }
        stats
    }
}

impl Display for TensorStats {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let mut parts = vec![format!("shape {:?}", self.shape)];
        parts.extend(self.range.map(|(low, high)| format!("{:?} to {:?}", short(low), short(high))));
        let infinities = if self.infinities == 1 { "infinity" } else { "infinities" };
        let counts = [(self.nans, "NaN"), (self.infinities, infinities)];
        parts.extend(counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        f.write_str(&parts.join(", "))
    }
}

/// A number rounded to five digits.
fn short(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// Whether all elements are finite.
fn is_finite<T: Float>(x: &Tensor<T>) -> bool {
    x.as_slice().iter().all(|x| x.to_f64().is_finite())
}

/// Reports the first value or gradient that is not finite.
struct AnomalyDetector;

impl<T: Float> Observer<T> for AnomalyDetector {
    fn computed(&self, op: &dyn AnyOp<T>, inputs: &[&Var<T>], value: &Tensor<T>, at: &Location) -> Result<(), String> {
        if is_finite(value) {
            return Ok(());
        }
        let stats = TensorStats::of(value);
        let infinite = |x: &&Var<T>| TensorStats::of(x.value()).infinities > 0;
        let mut description = Description::default();
        op.describe(&mut description);
        if stats.nans == 0 && (inputs.iter().any(infinite) || description.has_infinity()) {
            return Ok(());
        }
        let input = |(k, x): (usize, &&Var<T>)| format!("\n  input {k}: {}, {}", TensorStats::of(x.value()), x.place());
        let ranges: String = inputs.iter().enumerate().map(input).collect();
        let behind = parameters_behind(inputs[0].tape(), inputs.iter().filter_map(|x| x.node()));
        let place = format!("{} at {at}", op.name());
        Err(panics::anomaly_report(op.name(), "its value", &stats, &place, &(ranges + &behind)))
    }

    fn arrived(&self, tape: &Tape<T>, id: NodeId, gy: &Var<T>) -> Result<(), String> {
        if is_finite(gy.value()) {
            return Ok(());
        }
        let (stats, name) = (TensorStats::of(gy.value()), tape.list()[id].name);
        let behind = parameters_behind(tape, [id]);
        Err(panics::anomaly_report(name, "the gradient that reaches it", &stats, &tape.place(id), &behind))
    }

    fn returned(
        &self,
        context: &BackwardContext<T>,
        input: usize,
        gy: &Var<T>,
        gradient: &Var<T>,
    ) -> Result<(), String> {
        if is_finite(gradient.value()) {
            return Ok(());
        }
        let (tape, stats) = (context.tape, TensorStats::of(gradient.value()));
        let mut report = format!("\n  its own gradient: {}", TensorStats::of(gy.value()));
        let list = tape.list();
        let (mut saved, mut output) = (list.saved(context.id), None);
        if let (Save::Output | Save::InputsAndOutput, Some((last, inputs))) = (context.save, saved.split_last()) {
            (saved, output) = (inputs, last.as_ref());
        }
        for (k, value) in saved.iter().enumerate().filter_map(|(k, value)| Some((k, value.as_ref()?))) {
            let place = list.inputs(context.id)[k].map_or("a constant".into(), |id| tape.place(id));
            report += &format!("\n  input {k}: {}, {place}", TensorStats::of(value));
        }
        if let Some(output) = output {
            report += &format!("\n  output: {}", TensorStats::of(output));
        }
        report += &parameters_behind(tape, list.inputs(context.id).iter().flatten().copied());
        let what = format!("the gradient that its rule gives input {input}");
        Err(panics::anomaly_report(list[context.id].name, &what, &stats, &tape.place(context.id), &report))
    }
}

/// The parameters that some nodes depend on, nearest first, as a line of a message.
fn parameters_behind<T: Float>(tape: &Tape<T>, roots: impl IntoIterator<Item = NodeId>) -> String {
    let list = tape.list();
    let mut behind = vec![false; tape.len()];
    roots.into_iter().for_each(|root| behind[root.index()] = true);
    let mut found = Vec::new();
    for (id, node) in list.nodes().rev() {
        if !behind[id.index()] {
            continue;
        }
        list.inputs(id).iter().flatten().for_each(|input| behind[input.index()] = true);
        if let Content::Parameter(param) = node.content {
            let path = tape.path(param).unwrap_or("parameter".into());
            found.push(format!("{path} {:?}", node.shape.as_slice()));
        }
    }
    let others = found.len().saturating_sub(MAX_LISTED);
    found.truncate(MAX_LISTED);
    if others > 0 {
        found.push(format!("and {others} others"));
    }
    if found.is_empty() { String::new() } else { format!("\n  parameters behind it: {}", found.join(", ")) }
}
