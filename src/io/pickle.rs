//! The part of Python's pickle format that PyTorch writes for tensors in dictionaries, lists and tuples.
//!
//! A pickle is a program for a stack machine. This one builds plain data: it knows the functions that rebuild a tensor, and
//! calls none.

use crate::io::array::DType;
use std::collections::BTreeMap;

/// An object of the [`Heap`].
pub(super) type Id = usize;

/// A value of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    /// `None`, a boolean, a floating-point number: nothing that describes a tensor.
    Other,
    Integer(i64),
    Text(String),
    /// A list or a tuple.
    Sequence(Vec<Id>),
    Dictionary(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    Tensor(StoredTensor),
}

/// The names of other modules that are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(DType),
}

/// The elements that one or more tensors share, in an entry of the archive.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    pub(super) dtype: DType,
    pub(super) entry: String,
    /// The number of elements.
    pub(super) length: u64,
}

/// A view of a storage; nothing is checked against its length yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredTensor {
    pub(super) storage: Storage,
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// All objects of a pickle, and the one that it is about. Containers refer to what they hold, which may be shared or themselves.
#[derive(Debug)]
pub(super) struct Heap {
    pub(super) objects: Vec<Object>,
    pub(super) root: Id,
}

/// The offset of a failure, what was expected there, and what was found.
pub(super) type Failure = (usize, &'static str, String);

/// Runs a pickle.
pub(super) fn parse(bytes: &[u8]) -> Result<Heap, Failure> {
    let mut machine = Machine {
        bytes,
        at: 0,
        start: 0,
        objects: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
    };
    loop {
        machine.start = machine.at;
        let [opcode] = machine.array()?;
        if opcode == b'.' {
            let root = machine.pop()?;
            return Ok(Heap { objects: machine.objects, root });
        }
        machine.step(opcode)?;
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The position of the current opcode, for errors.
    start: usize,
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// The heights of the stack where lists of arguments begin.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Id>,
}

impl<'a> Machine<'a> {
    fn step(&mut self, opcode: u8) -> Result<(), Failure> {
        match opcode {
            // The version of the protocol.
            0x80 => return self.array::<1>().map(|_| ()),
            b'(' => self.marks.push(self.stack.len()),
            b'N' | 0x88 | 0x89 => self.push(Object::Other),
            b'G' => {
                self.array::<8>()?;
                self.push(Object::Other);
            }
            b'K' | b'M' | b'J' | 0x8a => self.integer(opcode)?,
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                let text = std::str::from_utf8(self.take(length as usize)?).map(str::to_string);
                self.push(Object::Text(text.map_err(|_| self.failure("UTF-8", "other bytes"))?));
            }
            b'}' | b']' | b')' | b't' | b'a' | b'e' | b's' | b'u' | 0x85..=0x87 => self.container(opcode)?,
            b'q' | b'r' => {
                let key = self.memo_key(opcode == b'r')?;
                let top = *self.stack.last().ok_or_else(|| self.underflow())?;
                self.memo.insert(key, top);
            }
            b'h' | b'j' => {
                let key = self.memo_key(opcode == b'j')?;
                let id = *self.memo.get(&key).ok_or_else(|| self.failure("a number that was given", key))?;
                self.stack.push(id);
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                let global = known(module, name).ok_or_else(|| {
                    let found: String =
                        format!("{module}.{name}").chars().take(80).flat_map(char::escape_debug).collect();
                    self.failure("tensors in dictionaries and lists", format!("an object of {found}"))
                })?;
                self.push(Object::Global(global));
            }
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            // The state of a dictionary: the versions of its modules.
            b'b' => return self.pop().map(|_| ()),
            _ => return Err(self.failure("an operation that torch.save uses", format!("{opcode:#04x}"))),
        }
        Ok(())
    }

    /// Creates a container or adds to it.
    fn container(&mut self, opcode: u8) -> Result<(), Failure> {
        match opcode {
            b'}' => self.push(Object::Dictionary(Vec::new())),
            b']' | b')' => self.push(Object::Sequence(Vec::new())),
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(opcode - 0x84));
                let items = self.stack.split_off(from.ok_or_else(|| self.underflow())?);
                self.push(Object::Sequence(items));
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Object::Sequence(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[key, value])?;
            }
            _ => {
                let items = self.pop_to_mark()?;
                self.set(&items)?;
            }
        }
        Ok(())
    }

    fn failure(&self, expected: &'static str, found: impl ToString) -> Failure {
        (self.start, expected, found.to_string())
    }

    fn underflow(&self) -> Failure {
        self.failure("an operand", "an empty stack")
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Failure> {
        let bytes: &'a [u8] = self.bytes;
        let taken = bytes[self.at..].get(..count).ok_or_else(|| self.failure("more bytes", "the end of the pickle"))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.underflow())
    }

    fn line(&mut self) -> Result<&'a str, Failure> {
        let length = self.bytes[self.at..].iter().position(|&byte| byte == b'\n');
        let bytes = self.take(length.map_or(usize::MAX, |length| length + 1))?;
        std::str::from_utf8(&bytes[..bytes.len() - 1]).map_err(|_| self.failure("UTF-8", "other bytes"))
    }

    fn memo_key(&mut self, long: bool) -> Result<u32, Failure> {
        if long { self.array().map(u32::from_le_bytes) } else { self.array().map(|[byte]| u32::from(byte)) }
    }

    fn push(&mut self, object: Object) {
        self.stack.push(self.objects.len());
        self.objects.push(object);
    }

    /// The top of the stack, above the last mark.
    fn pop(&mut self) -> Result<Id, Failure> {
        let mark = self.marks.last().copied().unwrap_or_default();
        self.stack.pop_if(|_| true).filter(|_| self.stack.len() >= mark).ok_or_else(|| self.underflow())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Failure> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(|| self.underflow())?))
    }

    /// The integer of an opcode, in 1, 2, 4 or any number of bytes.
    fn integer(&mut self, opcode: u8) -> Result<(), Failure> {
        let integer = match opcode {
            b'K' => self.array().map(|[byte]| i64::from(byte))?,
            b'M' => u16::from_le_bytes(self.array()?).into(),
            b'J' => i32::from_le_bytes(self.array()?).into(),
            _ => {
                let [length] = self.array()?;
                let bytes = self.take(length.into())?;
                if bytes.len() > 8 {
                    self.push(Object::Other);
                    return Ok(());
                }
                let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { -1 } else { 0 };
                bytes.iter().rev().fold(sign, |integer, &byte| integer << 8 | i64::from(byte))
            }
        };
        self.push(Object::Integer(integer));
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), Failure> {
        let target = *self.stack.last().ok_or_else(|| self.underflow())?;
        match &mut self.objects[target] {
            Object::Sequence(list) => list.extend(items),
            _ => return Err(self.failure("a list", "another object")),
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Result<(), Failure> {
        let target = *self.stack.last().ok_or_else(|| self.underflow())?;
        match (&mut self.objects[target], items.as_chunks()) {
            (Object::Dictionary(entries), (pairs, [])) => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)))
            }
            _ => return Err(self.failure("a dictionary and pairs", "another object")),
        }
        Ok(())
    }

    /// The objects of a tuple.
    fn tuple(&self, id: Id) -> Result<Vec<&Object>, Failure> {
        match &self.objects[id] {
            Object::Sequence(items) => Ok(items.iter().map(|&item| &self.objects[item]).collect()),
            _ => Err(self.failure("a tuple", "another object")),
        }
    }

    /// `("storage", type, entry, device, length)`.
    fn storage(&mut self) -> Result<(), Failure> {
        let id = self.pop()?;
        let storage = match self.tuple(id)?[..] {
            [
                Object::Text(kind),
                Object::Global(Global::Storage(dtype)),
                Object::Text(entry),
                _,
                Object::Integer(length),
            ] if kind == "storage" && *length >= 0 => {
                Storage { dtype: *dtype, entry: entry.clone(), length: length.cast_unsigned() }
            }
            _ => return Err(self.failure("a storage", "another object")),
        };
        self.push(Object::Storage(storage));
        Ok(())
    }

    /// A call of one of the known functions with a tuple.
    fn call(&mut self) -> Result<(), Failure> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let arguments = self.tuple(arguments)?;
        let object = match (&self.objects[function], &arguments[..]) {
            (Object::Global(Global::OrderedDict), []) => Object::Dictionary(Vec::new()),
            (
                Object::Global(Global::RebuildTensor),
                [Object::Storage(storage), Object::Integer(offset), shape, strides, ..],
            ) => {
                let (offset, shape, strides) = (u64::try_from(*offset).ok(), self.sizes(shape), self.sizes(strides));
                let (Some(offset), Some(shape), Some(strides)) = (offset, shape, strides) else {
                    return Err(self.failure("an offset, a shape and strides", "other numbers"));
                };
                Object::Tensor(StoredTensor { storage: storage.clone(), offset, shape, strides })
            }
            (Object::Global(Global::RebuildParameter), [tensor @ Object::Tensor(_), ..]) => (*tensor).clone(),
            _ => return Err(self.failure("a function that rebuilds a tensor, and its arguments", "another call")),
        };
        self.push(object);
        Ok(())
    }

    fn sizes(&self, object: &Object) -> Option<Vec<usize>> {
        let Object::Sequence(items) = object else { return None };
        let size = |&item: &Id| match self.objects[item] {
            Object::Integer(size) => usize::try_from(size).ok(),
            _ => None,
        };
        items.iter().map(size).collect()
    }
}

fn known(module: &str, name: &str) -> Option<Global> {
    let dtype = match (module, name) {
        ("collections", "OrderedDict") => return Some(Global::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => return Some(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => return Some(Global::RebuildParameter),
        ("torch", "HalfStorage") => DType::F16,
        ("torch", "BFloat16Storage") => DType::BF16,
        ("torch", "FloatStorage") => DType::F32,
        ("torch", "DoubleStorage") => DType::F64,
        ("torch", "CharStorage") => DType::I8,
        ("torch", "ShortStorage") => DType::I16,
        ("torch", "IntStorage") => DType::I32,
        ("torch", "LongStorage") => DType::I64,
        ("torch", "ByteStorage") => DType::U8,
        ("torch", "BoolStorage") => DType::Bool,
        _ => return None,
    };
    Some(Global::Storage(dtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(bytes: &[u8]) -> Result<Object, String> {
        let heap = parse(bytes).map_err(|(at, expected, found)| format!("{at}: {expected}, {found}"))?;
        Ok(heap.objects[heap.root].clone())
    }

    #[test]
    fn numbers_of_every_length_are_read() {
        for (bytes, expected) in [
            (&b"K\xff."[..], 255),
            (b"M\xff\xff.", 65_535),
            (b"J\xff\xff\xff\xff.", -1),
            (b"\x8a\x00.", 0),
            (b"\x8a\x02\xff\x00.", 255),
            (b"\x8a\x01\xff.", -1),
            (b"\x8a\x05\x00\x00\x00\x00\x01.", 1 << 32),
        ] {
            assert_eq!(root(bytes), Ok(Object::Integer(expected)));
        }
        assert_eq!(root(b"\x8a\x09\0\0\0\0\0\0\0\0\x01."), Ok(Object::Other));
    }

    #[test]
    fn programs_that_torch_does_not_write_are_refused() {
        for (bytes, expected) in [
            (&b"cos\nsystem\n."[..], "0: tensors in dictionaries and lists, an object of os.system"),
            (b"\x80\x04\x95", "2: an operation that torch.save uses, 0x95"),
            (b"", "0: more bytes, the end of the pickle"),
            (b".", "0: an operand, an empty stack"),
            (b"N(.", "2: an operand, an empty stack"),
            (b"t", "0: an operand, an empty stack"),
            (b"N\x86", "1: an operand, an empty stack"),
            (b"N(e", "2: a list, another object"),
            (b"}(Nu", "3: a dictionary and pairs, another object"),
            (b"}s", "1: an operand, an empty stack"),
            (b"h\x07", "0: a number that was given, 7"),
            (b"Q", "0: an operand, an empty stack"),
            (b"NQ", "1: a tuple, another object"),
            (b")Q", "1: a storage, another object"),
            (b"N)R", "2: a function that rebuilds a tensor, and its arguments, another call"),
            (b"ctorch\n", "0: more bytes, the end of the pickle"),
            (b"X\xff\xff\xff\xff", "0: more bytes, the end of the pickle"),
            (b"X\x01\0\0\0\xff", "0: UTF-8, other bytes"),
        ] {
            assert_eq!(root(bytes), Err(expected.into()), "{}", bytes.escape_ascii());
        }
    }
}
