//! The messages of ONNX that a model needs; the numbers of fields are those of `onnx.proto`.

use crate::io::protobuf::Message;

/// The element types of ONNX that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Float = 1,
    Integer = 7,
    Boolean = 9,
}

/// The value of an attribute of a node.
pub(super) enum Attribute<'a> {
    Integer(i64),
    Integers(&'a [i64]),
    Float(f64),
    Text(&'a str),
    Texts(&'a [&'a str]),
}

/// A `NodeProto`.
pub(super) fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, Attribute)]) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
    let node = outputs.iter().fold(node, |node, output| node.text(2, output));
    let attributes: Vec<Message> = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    node.text(3, outputs[0]).text(4, operator).messages(5, &attributes)
}

/// An `AttributeProto`.
fn attribute(name: &str, value: &Attribute) -> Message {
    let attribute = Message::default().text(1, name);
    match value {
        Attribute::Float(value) => attribute.float(2, *value as f32).integer(20, 1),
        Attribute::Integer(value) => attribute.integer(3, *value).integer(20, 2),
        Attribute::Text(text) => attribute.text(4, text).integer(20, 3),
        Attribute::Texts(texts) => texts.iter().fold(attribute, |all, text| all.text(9, text)).integer(20, 8),
        Attribute::Integers(values) => {
            values.iter().fold(attribute, |all, &value| all.integer(8, value)).integer(20, 7)
        }
    }
}

/// A `TensorProto` with little-endian elements.
pub(super) fn tensor(name: &str, element: Element, shape: &[usize], elements: &[u8]) -> Message {
    let tensor = shape.iter().fold(Message::default(), |tensor, &size| tensor.integer(1, size as i64));
    tensor.integer(2, element as i64).text(8, name).bytes(9, elements)
}

/// A `ValueInfoProto`: an input or output, with the axes that have a name instead of a size.
pub(super) fn value(
    name: &str,
    element: Element,
    shape: &[usize],
    named: impl Fn(usize) -> Option<&'static str>,
) -> Message {
    let axis = |(axis, &size): (usize, &usize)| match named(axis) {
        Some(name) => Message::default().text(2, name),
        None => Message::default().integer(1, size as i64),
    };
    let axes: Vec<Message> = shape.iter().enumerate().map(axis).collect();
    let kind = Message::default().integer(1, element as i64).message(2, &Message::default().messages(1, &axes));
    Message::default().text(1, name).message(2, &Message::default().message(1, &kind))
}
