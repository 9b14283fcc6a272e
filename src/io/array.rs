//! What files of tensors hold.

use crate::tensor::{Float, IntoShape, Tensor, resolve_shape};
use std::any::Any;
use std::io::{self, Write};

/// An array from a file or for one: of floating-point numbers of either precision, or of whole numbers, such as labels.
///
/// ```
/// use wengert::io::{Array, Integers};
/// use wengert::prelude::*;
///
/// let array = Array::from(tensor![f64; 0.0, 1.0, 2.5]);
/// let single: Tensor = array.tensor();
/// assert_eq!(single, tensor![0.0, 1.0, 2.5]);
/// assert_eq!(array.indices(), None);
///
/// let labels = Array::from(Integers::new(vec![7, 2, 1], [3]));
/// assert_eq!(labels.indices(), Some(vec![7, 2, 1]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Numbers in single precision.
    F32(Tensor<f32>),
    /// Numbers in double precision.
    F64(Tensor<f64>),
    /// Whole numbers; files have them in 8 to 64 bits, with and without sign.
    Integers(Integers),
}

/// An array of whole numbers.
///
/// ```
/// use wengert::io::Integers;
///
/// let pairs = Integers::new(vec![7, 2, 1, -4], [2, 2]);
/// assert_eq!((pairs.shape(), pairs.as_slice()), (&[2, 2][..], &[7, 2, 1, -4][..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integers {
    shape: Vec<usize>,
    elements: Vec<i64>,
}

impl Integers {
    /// An array of the given shape from its elements in row-major order.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    #[track_caller]
    pub fn new(elements: Vec<i64>, shape: impl IntoShape) -> Self {
        let shape = resolve_shape("Integers::new", shape, Some((elements.len(), &[elements.len()]))).to_vec();
        Integers { shape, elements }
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[i64] {
        &self.elements
    }
}

impl From<Integers> for Array {
    fn from(integers: Integers) -> Self {
        Array::Integers(integers)
    }
}

impl Array {
    /// The sizes of the axes; empty for a single number.
    pub fn shape(&self) -> &[usize] {
        match self {
            Array::F32(tensor) => tensor.shape(),
            Array::F64(tensor) => tensor.shape(),
            Array::Integers(integers) => integers.shape(),
        }
    }

    /// The numbers as a tensor of either precision, each rounded to the nearest that there is.
    pub fn tensor<T: Float>(&self) -> Tensor<T> {
        match self {
            Array::F32(tensor) => converted(tensor),
            Array::F64(tensor) => converted(tensor),
            Array::Integers(Integers { shape, elements }) => {
                Tensor::from_vec(elements.iter().map(|&n| T::from_f64(n as f64)).collect(), shape)
            }
        }
    }

    /// The numbers as labels or indices; `None` unless all of them are whole by type and none is negative.
    pub fn indices(&self) -> Option<Vec<usize>> {
        match self {
            Array::Integers(integers) => integers.elements.iter().map(|&n| usize::try_from(n).ok()).collect(),
            _ => None,
        }
    }

    /// The numbers as a tensor, if its type holds each of them as it is. It never holds those of a wider type.
    pub(super) fn exactly<T: Float>(&self) -> Option<Tensor<T>> {
        let held = match self {
            Array::F32(_) => true,
            Array::F64(tensor) => (tensor as &dyn Any).is::<Tensor<T>>(),
            // 2⁶³ − 1 would pass the way back, which saturates.
            Array::Integers(integers) => {
                integers.elements.iter().all(|&n| n < i64::MAX && T::from_f64(n as f64).to_f64() as i64 == n)
            }
        };
        held.then(|| self.tensor())
    }

    /// The type that safetensors and these error messages call it.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Array::F32(_) => Kind::F32,
            Array::F64(_) => Kind::F64,
            Array::Integers(_) => Kind::I64,
        }
    }

    /// Type and shape, such as `F32 [2, 3]`.
    pub(super) fn describe(&self) -> String {
        describe(self.kind().name(), self.shape())
    }

    /// The number of elements.
    pub(super) fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Writes the elements, least significant bytes first.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        match self {
            Array::F32(tensor) => write_elements(writer, tensor.as_slice(), f32::to_le_bytes),
            Array::F64(tensor) => write_elements(writer, tensor.as_slice(), f64::to_le_bytes),
            Array::Integers(integers) => write_elements(writer, &integers.elements, i64::to_le_bytes),
        }
    }
}

/// Type and shape, such as `F32 [2, 3]`.
pub(super) fn describe(kind: &str, shape: &[usize]) -> String {
    format!("{kind} {shape:?}")
}

/// The same numbers in another precision; shared if it is the same one, so that every bit stays.
fn converted<S: Float, T: Float>(tensor: &Tensor<S>) -> Tensor<T> {
    match (tensor as &dyn Any).downcast_ref::<Tensor<T>>() {
        Some(same) => same.clone(),
        None => Tensor::from_vec(tensor.as_slice().iter().map(|x| T::from_f64(x.to_f64())).collect(), tensor.shape()),
    }
}

fn write_elements<E: Copy, const N: usize>(
    writer: &mut impl Write,
    elements: &[E],
    bytes: impl Fn(E) -> [u8; N],
) -> io::Result<()> {
    let mut block = Vec::new();
    for chunk in elements.chunks(1 << 13) {
        block.clear();
        chunk.iter().for_each(|&element| block.extend(bytes(element)));
        writer.write_all(&block)?;
    }
    Ok(())
}

impl<T: Float> From<&Tensor<T>> for Array {
    fn from(tensor: &Tensor<T>) -> Self {
        match (tensor as &dyn Any).downcast_ref::<Tensor<f32>>() {
            Some(single) => Array::F32(single.clone()),
            None => Array::F64(converted(tensor)),
        }
    }
}

impl<T: Float> From<Tensor<T>> for Array {
    fn from(tensor: Tensor<T>) -> Self {
        Array::from(&tensor)
    }
}

impl From<&Array> for Array {
    fn from(array: &Array) -> Self {
        array.clone()
    }
}

/// The types that the elements of an array have in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Kind; 11] = [
        Kind::F32,
        Kind::F64,
        Kind::I8,
        Kind::I16,
        Kind::I32,
        Kind::I64,
        Kind::U8,
        Kind::U16,
        Kind::U32,
        Kind::U64,
        Kind::Bool,
    ];

    /// The names in safetensors and in npy, and the bytes of one element.
    fn properties(self) -> (&'static str, &'static str, usize) {
        match self {
            Kind::F32 => ("F32", "f4", 4),
            Kind::F64 => ("F64", "f8", 8),
            Kind::I8 => ("I8", "i1", 1),
            Kind::I16 => ("I16", "i2", 2),
            Kind::I32 => ("I32", "i4", 4),
            Kind::I64 => ("I64", "i8", 8),
            Kind::U8 => ("U8", "u1", 1),
            Kind::U16 => ("U16", "u2", 2),
            Kind::U32 => ("U32", "u4", 4),
            Kind::U64 => ("U64", "u8", 8),
            Kind::Bool => ("BOOL", "b1", 1),
        }
    }

    /// The name in safetensors.
    pub(super) fn name(self) -> &'static str {
        self.properties().0
    }

    /// The name in npy.
    pub(super) fn npy_name(self) -> &'static str {
        self.properties().1
    }

    /// Bytes of one element.
    pub(super) fn size(self) -> usize {
        self.properties().2
    }

    /// Bytes of an array of a shape; `None` if no memory can hold it.
    ///
    /// Zeros among the sizes do not excuse the others: strides are products of those.
    pub(super) fn bytes(self, shape: &[usize]) -> Option<u64> {
        let largest = shape.iter().try_fold(self.size(), |product, &size| product.checked_mul(size.max(1)))?;
        let bytes = if shape.contains(&0) { 0 } else { largest as u64 };
        isize::try_from(largest).is_ok().then_some(bytes)
    }

    /// The array whose elements these bytes are, least significant first, as many as [`bytes`](Kind::bytes) says. `Err` is an
    /// element that does not fit in 64 bits with a sign.
    pub(super) fn decode(self, bytes: &[u8], shape: Vec<usize>) -> Result<Array, u64> {
        fn all<const N: usize, E>(bytes: &[u8], element: impl Fn([u8; N]) -> E) -> Vec<E> {
            bytes.as_chunks().0.iter().map(|&bytes| element(bytes)).collect()
        }
        let elements = match self {
            Kind::F32 => return Ok(Array::F32(Tensor::from_vec(all(bytes, f32::from_le_bytes), shape))),
            Kind::F64 => return Ok(Array::F64(Tensor::from_vec(all(bytes, f64::from_le_bytes), shape))),
            Kind::I8 => all(bytes, |b| i8::from_le_bytes(b).into()),
            Kind::I16 => all(bytes, |b| i16::from_le_bytes(b).into()),
            Kind::I32 => all(bytes, |b| i32::from_le_bytes(b).into()),
            Kind::I64 => all(bytes, i64::from_le_bytes),
            Kind::U8 | Kind::Bool => all(bytes, |b| u8::from_le_bytes(b).into()),
            Kind::U16 => all(bytes, |b| u16::from_le_bytes(b).into()),
            Kind::U32 => all(bytes, |b| u32::from_le_bytes(b).into()),
            Kind::U64 => {
                let wide = all(bytes, u64::from_le_bytes);
                wide.into_iter().map(|n| i64::try_from(n).map_err(|_| n)).collect::<Result<_, _>>()?
            }
        };
        Ok(Array::Integers(Integers { shape, elements }))
    }
}
