//! Losses.

use super::graph::{Graph, Operation};
use super::messages::Attribute::Text;
use super::operations::chain;
use super::parts;

pub(super) fn loss(graph: &mut Graph, op: &Operation) -> Result<String, String> {
    let inputs: Vec<&str> = op.inputs.iter().map(String::as_str).collect();
    Ok(match (op.step.name, &inputs[..]) {
        ("softmax_cross_entropy", [x]) => return cross_entropy(graph, op, x),
        ("huber", [d]) => huber(graph, op, d)?,
        ("weighted", [w, x]) => product(graph, w, x, x),
        ("bce_loss", [p, t]) => {
            let term = |graph: &mut Graph, t: &str, p: &str| {
                let logarithm = chain(graph, p, &[("Log", None), ("Max", Some(-100.0))]);
                graph.node("Mul", &[t, &logarithm], &[])
            };
            let [q, s] = [p, t].map(|x| one_minus(graph, x));
            let sum = [term(graph, t, p), term(graph, &s, &q)];
            let sum = graph.node("Add", &[&sum[0], &sum[1]], &[]);
            graph.node("Neg", &[&sum], &[])
        }
        ("bce_with_logits_loss", [x, t]) => {
            let rest = one_minus(graph, t);
            let positive = chain(graph, x, &[("Neg", None), ("Softplus", None)]);
            let negative = graph.node("Softplus", &[x], &[]);
            let terms = [(t, &positive), (&&*rest, &negative)].map(|(w, loss)| product(graph, w, loss, loss));
            graph.node("Add", &[&terms[0], &terms[1]], &[])
        }
        ("kl_div_loss", [x, t]) => {
            let logarithm = graph.node("Log", &[t], &[]);
            let difference = graph.node("Sub", &[&logarithm, x], &[]);
            product(graph, t, &difference, x)
        }
        ("kl_div_log_loss", [x, t]) => {
            let probability = graph.node("Exp", &[t], &[]);
            let difference = graph.node("Sub", &[t, x], &[]);
            product(graph, &probability, &difference, x)
        }
        (name, _) => return Err(format!("another loss: {name}")),
    })
}

fn cross_entropy(graph: &mut Graph, op: &Operation, x: &str) -> Result<String, String> {
    if op.step.inputs[0].rank() < 2 {
        return Err("the loss of something else than rows of scores".into());
    }
    if op.step.settings.value("labels").is_none() {
        return Err("a loss with weights, smoothing or an ignored label".into());
    }
    let labels = parts::indices(graph, op, "labels")?;
    let labels = if op.step.value.rank() == 1 { labels } else { graph.reshape(op, &labels)? };
    Ok(graph.node("SoftmaxCrossEntropyLoss", &[x, &labels], &[("reduction", Text("none"))]))
}

/// With m = min(|d|, δ) it is `slope m²/(2δ) + slope (|d| − m)`.
fn huber(graph: &mut Graph, op: &Operation, d: &str) -> Result<String, String> {
    let [delta, slope] = [op.number("delta")?, op.number("slope")?];
    let size = graph.node("Abs", &[d], &[]);
    let near = chain(graph, &size, &[("Min", Some(delta))]);
    let square = graph.node("Mul", &[&near, &near], &[]);
    let square = chain(graph, &square, &[("Mul", Some(slope / delta / 2.0))]);
    let rest = graph.node("Sub", &[&size, &near], &[]);
    let rest = chain(graph, &rest, &[("Mul", Some(slope))]);
    Ok(graph.node("Add", &[&square, &rest], &[]))
}

fn one_minus(graph: &mut Graph, x: &str) -> String {
    chain(graph, x, &[("Neg", None), ("Add", Some(1.0))])
}

/// `w y`, but 0 where w = 0, unless x, of which y is a function, is NaN.
fn product(graph: &mut Graph, w: &str, y: &str, x: &str) -> String {
    let zero = graph.number(0.0);
    let absent = graph.node("Equal", &[w, &zero], &[]);
    let number = chain(graph, x, &[("IsNaN", None), ("Not", None)]);
    let absent = graph.node("And", &[&absent, &number], &[]);
    let product = graph.node("Mul", &[w, y], &[]);
    graph.node("Where", &[&absent, &zero, &product], &[])
}
