//! The messages of an event file; the numbers of fields are those of TensorFlow's `event.proto`, `summary.proto` and `graph.proto`.

use crate::inspect::{Graph, Input, Kind};
use crate::io::protobuf::Message;
use crate::training::tensorboard::image::Image;
use std::collections::HashSet;

/// The number of equal intervals of a histogram.
const BINS: usize = 30;
/// The element type of strings.
const STRING: i64 = 7;

/// An event at a time, in seconds since 1970; `fields` has what happened.
pub(super) fn event(time: f64, step: usize, fields: impl FnOnce(Message) -> Message) -> Message {
    fields(Message::default().double(1, time).integer(2, step as i64))
}

/// A summary with one value.
fn summary(name: &str, value: impl FnOnce(Message) -> Message) -> Message {
    Message::default().message(1, &value(Message::default().text(1, name)))
}

pub(super) fn scalar(name: &str, value: f64) -> Message {
    summary(name, |message| message.float(2, value as f32))
}

pub(super) fn image(name: &str, image: &Image) -> Message {
    let content = Message::default().integer(1, image.height as i64).integer(2, image.width as i64);
    let content = content.integer(3, image.channels as i64).bytes(4, &image.png());
    summary(name, |message| message.message(4, &content))
}

pub(super) fn text(name: &str, text: &str) -> Message {
    let shape = Message::default().message(2, &Message::default().integer(1, 1));
    let tensor = Message::default().integer(1, STRING).message(2, &shape).text(8, text);
    let metadata = Message::default().message(1, &Message::default().text(1, "text"));
    summary(name, |message| message.message(8, &tensor).message(9, &metadata))
}

/// The finite ones of some values in equal intervals from the least to the greatest; the last one is closed.
pub(super) fn histogram(name: &str, values: &[f64]) -> Message {
    let values = || values.iter().copied().filter(|value| value.is_finite());
    let count = values().count();
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let mut content = Message::default();
    if count > 0 {
        let bins = if low < high { BINS } else { 1 };
        let limit = |k: usize| if k == bins { high } else { low + (high - low) * k as f64 / bins as f64 };
        let mut counts = vec![0.0; bins];
        for value in values() {
            let mut k = (((value - low) / (high - low) * bins as f64) as usize).min(bins - 1);
            // Rounding may be off by one.
            k -= usize::from(k > 0 && value < limit(k));
            k += usize::from(k + 1 < bins && value >= limit(k + 1));
            counts[k] += 1.0;
        }
        let limits: Vec<f64> = (1..=bins).map(limit).collect();
        content = content.double(1, low).double(2, high).double(3, count as f64).double(4, values().sum());
        content = content.double(5, values().map(|x| x * x).sum()).doubles(6, &limits).doubles(7, &counts);
    }
    summary(name, |message| message.message(5, &content))
}

/// The graph of a tape: modules become nested names, and each node has its settings and shape.
pub(super) fn graph(graph: &Graph) -> Message {
    let names = names(graph);
    let mut nodes = Vec::new();
    for (vertex, name) in graph.vertices.iter().zip(&names) {
        let operator = match vertex.kind {
            Kind::Variable => "Variable",
            Kind::Parameter => "Parameter",
            Kind::Operation | Kind::Released | Kind::Constant => &vertex.name,
        };
        let mut node = Message::default().text(1, name).text(2, operator);
        for (k, input) in vertex.inputs.iter().enumerate() {
            match input {
                Input::Node(source) => node = node.text(3, &names[*source]),
                Input::Constant(shape) => {
                    let constant = format!("{name}_constant_{k}");
                    node = node.text(3, &constant);
                    let constant = Message::default().text(1, &constant).text(2, "Constant");
                    nodes.push(shape.iter().fold(constant, |node, shape| node.message(5, &output_shape(shape))));
                }
            }
        }
        for (setting, value) in vertex.settings.fields() {
            node = node.message(5, &attribute(setting, &Message::default().text(2, value)));
        }
        nodes.push(node.message(5, &output_shape(&vertex.shape)));
    }
    Message::default().messages(1, &nodes).message(4, &Message::default().integer(1, 22))
}

/// A name for each node: that of its module, with slashes, then its own.
fn names(graph: &Graph) -> Vec<String> {
    let mut taken = HashSet::new();
    let name = |(index, vertex): (usize, &crate::inspect::Vertex)| {
        let path = vertex.group.map_or(String::new(), |group| graph.groups[group].path.replace('.', "/") + "/");
        let name = match vertex.kind {
            Kind::Parameter => vertex.name.replace('.', "/"),
            _ => format!("{path}{}_{index}", vertex.name).trim_start_matches('/').into(),
        };
        if taken.insert(name.clone()) { name } else { format!("{name}_{index}") }
    };
    graph.vertices.iter().enumerate().map(name).collect()
}

fn attribute(name: &str, value: &Message) -> Message {
    Message::default().text(1, name).message(2, value)
}

fn output_shape(shape: &[usize]) -> Message {
    let axes: Vec<Message> = shape.iter().map(|&size| Message::default().integer(1, size as i64)).collect();
    let list = Message::default().message(7, &Message::default().messages(2, &axes));
    attribute("_output_shapes", &Message::default().message(1, &list))
}
