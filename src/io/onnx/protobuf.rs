//! The encoding of protocol buffers, and the messages of ONNX that a model needs.
//!
//! A message is a list of fields; each begins with its number and the kind of its encoding. The numbers are those of `onnx.proto`.

/// A message under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

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
}

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn integer(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value.cast_unsigned());
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u64, message: &Message) -> Self {
        self.bytes(field, &message.0)
    }

    pub(super) fn messages(self, field: u64, messages: &[Message]) -> Self {
        messages.iter().fold(self, |all, message| all.message(field, message))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A `NodeProto`.
pub(super) fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input)).text(2, output);
    let attributes: Vec<Message> = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    node.text(3, output).text(4, operator).messages(5, &attributes)
}

/// An `AttributeProto`.
fn attribute(name: &str, value: &Attribute) -> Message {
    let attribute = Message::default().text(1, name);
    match value {
        Attribute::Float(value) => attribute.float(2, *value as f32).integer(20, 1),
        Attribute::Integer(value) => attribute.integer(3, *value).integer(20, 2),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_are_encoded_in_groups_of_seven_bits() {
        // The example of the documentation of protocol buffers: field 1 is 150.
        assert_eq!(Message::default().integer(1, 150).as_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").as_bytes(), b"\x12\x07testing");
        assert_eq!(Message::default().integer(1, -1).as_bytes().len(), 11);
        let inner = Message::default().integer(1, 150);
        assert_eq!(Message::default().message(3, &inner).as_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().float(2, 1.0).as_bytes(), [0x15, 0, 0, 0x80, 0x3f]);
    }
}
