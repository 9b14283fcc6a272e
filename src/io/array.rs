//! Arrays as tensor files store them.

use crate::io::half;
use crate::tensor::{Float, IntoShape, MAX_RANK, Tensor, count, resolve_shape};
use std::any::Any;
use std::fmt::Debug;
use std::io::{self, Write};

/// An array read from a file or to be written to one: floating-point numbers, or integers, such as labels.
///
/// Half precision is a storage format: numbers are held in single precision, which represents all of them, and rounded to nearest, ties to
/// even, when they are written.
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
///
/// let half = Array::BF16(tensor![1.0, 0.1]); // in a file 2 bytes each: 1.0 and 0.10009765625
/// # let _ = half;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Array {
    /// Half precision: 5 bits of exponent, 11 of significand.
    F16(Tensor<f32>),
    /// Half precision with the range of single precision: 8 bits of exponent, 8 of significand.
    BF16(Tensor<f32>),
    /// Single precision.
    F32(Tensor<f32>),
    /// Double precision.
    F64(Tensor<f64>),
    /// Integers, which files store in 8 to 64 bits, signed or unsigned.
    Integers(Integers),
}

/// An array of integers.
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
    /// An array from its elements in row-major order.
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
    /// The sizes of the axes; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        match self {
            Array::F16(tensor) | Array::BF16(tensor) | Array::F32(tensor) => tensor.shape(),
            Array::F64(tensor) => tensor.shape(),
            Array::Integers(integers) => integers.shape(),
        }
    }

    /// The elements as a tensor of either precision, rounded to nearest.
    pub fn tensor<T: Float>(&self) -> Tensor<T> {
        match self {
            Array::F16(tensor) | Array::BF16(tensor) | Array::F32(tensor) => converted(tensor),
            Array::F64(tensor) => converted(tensor),
            Array::Integers(Integers { shape, elements }) => {
                Tensor::from_vec(elements.iter().map(|&n| T::from_f64(n as f64)).collect(), shape)
            }
        }
    }

    /// The elements as labels or indices; `None` unless they are non-negative integers (floating-point arrays never
    /// are).
    pub fn indices(&self) -> Option<Vec<usize>> {
        match self {
            Array::Integers(integers) => integers.elements.iter().map(|&n| usize::try_from(n).ok()).collect(),
            _ => None,
        }
    }

    /// The elements as a tensor, if the conversion is lossless. Narrowing from `F64` to `F32` never counts as lossless.
    pub(super) fn to_exact<T: Float>(&self) -> Option<Tensor<T>> {
        let lossless = match self {
            Array::F16(_) | Array::BF16(_) | Array::F32(_) => true,
            Array::F64(tensor) => (tensor as &dyn Any).is::<Tensor<T>>(),
            // 2⁶³ − 1 would survive the round trip, because the conversion back saturates.
            Array::Integers(integers) => {
                integers.elements.iter().all(|&n| n < i64::MAX && T::from_f64(n as f64).to_f64() as i64 == n)
            }
        };
        lossless.then(|| self.tensor())
    }

    /// The elements as a tensor, rounded to nearest; `None` if a finite one of `F64` becomes infinite.
    pub(super) fn to_rounded<T: Float>(&self) -> Option<Tensor<T>> {
        let Array::F64(numbers) = self else { return self.to_exact() };
        let tensor: Tensor<T> = self.tensor();
        let kept = numbers.iter().zip(tensor.iter()).all(|(number, y)| y.is_finite() || !number.is_finite());
        kept.then_some(tensor)
    }

    /// The same numbers as they are stored in another precision; integers stay.
    ///
    /// ```
    /// use wengert::io::{Array, Precision};
    /// use wengert::prelude::*;
    ///
    /// let array = Array::from(tensor![1.0, 2.0]).with_precision(Precision::BF16);
    /// assert_eq!(array, Array::BF16(tensor![1.0, 2.0]));
    /// ```
    pub fn with_precision(&self, precision: Precision) -> Array {
        match (self, precision) {
            (Array::Integers(_), _) => self.clone(),
            (_, Precision::F16) => Array::F16(self.tensor()),
            (_, Precision::BF16) => Array::BF16(self.tensor()),
            (_, Precision::F32) => Array::F32(self.tensor()),
            (_, Precision::F64) => Array::F64(self.tensor()),
        }
    }

    /// The array with its axes in reverse order.
    pub(super) fn transposed(&self) -> Array {
        fn reversed<T: Float>(tensor: &Tensor<T>) -> Tensor<T> {
            tensor.permute((0..tensor.rank() as isize).rev().collect::<Vec<_>>())
        }
        match self {
            Array::F16(tensor) => Array::F16(reversed(tensor)),
            Array::BF16(tensor) => Array::BF16(reversed(tensor)),
            Array::F32(tensor) => Array::F32(reversed(tensor)),
            Array::F64(tensor) => Array::F64(reversed(tensor)),
            Array::Integers(Integers { shape, elements }) => {
                let (shape, mut strides) = (shape.iter().rev().copied().collect::<Vec<_>>(), contiguous(shape));
                strides.reverse();
                Array::Integers(Integers { elements: gathered(elements, 1, &shape, &strides), shape })
            }
        }
    }

    /// The element type when written.
    pub(super) fn dtype(&self) -> DType {
        match self {
            Array::F16(_) => DType::F16,
            Array::BF16(_) => DType::BF16,
            Array::F32(_) => DType::F32,
            Array::F64(_) => DType::F64,
            Array::Integers(_) => DType::I64,
        }
    }

    /// The number of elements.
    pub(super) fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Writes the elements in little-endian order.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        match self {
            Array::F16(tensor) => write_elements(writer, tensor.as_slice(), |x| half::f16_from(x).to_le_bytes()),
            Array::BF16(tensor) => write_elements(writer, tensor.as_slice(), |x| half::bf16_from(x).to_le_bytes()),
            Array::F32(tensor) => write_elements(writer, tensor.as_slice(), f32::to_le_bytes),
            Array::F64(tensor) => write_elements(writer, tensor.as_slice(), f64::to_le_bytes),
            Array::Integers(integers) => write_elements(writer, &integers.elements, i64::to_le_bytes),
        }
    }
}

/// The precision in which floating-point numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// Half precision: 11 bits of significand, up to 65504.
    F16,
    /// Half precision with the range of single precision: 8 bits of significand.
    BF16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

/// What the shape of an array must be, for errors.
pub(super) const POSSIBLE_SHAPE: &str = "at most 64 axes and a size that fits in memory";

/// A shape that is not possible, for errors: the list of its sizes, unless it is long.
pub(super) fn impossible(shape: &[impl Debug]) -> String {
    if shape.len() <= MAX_RANK { format!("{shape:?}") } else { format!("{} axes", shape.len()) }
}

/// Type and shape, such as `F32 [2, 3]`.
pub(super) fn describe(dtype: &str, shape: &[usize]) -> String {
    format!("{dtype} {shape:?}")
}

/// Converts to another precision. The same precision shares the data, which preserves the bits of a NaN.
fn converted<S: Float, T: Float>(tensor: &Tensor<S>) -> Tensor<T> {
    match (tensor as &dyn Any).downcast_ref::<Tensor<T>>() {
        Some(same) => same.clone(),
        None => tensor.cast(),
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

/// The strides of row-major order.
pub(super) fn contiguous(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Items of `size` elements each in row-major order, gathered from where these strides, counted in items, put them.
///
/// The strides must stay within `elements`.
pub(super) fn gathered<E: Copy>(elements: &[E], size: usize, shape: &[usize], strides: &[usize]) -> Vec<E> {
    // Axes of size 1 do not affect the order; without them there are fewer than 64.
    let axes: Vec<(usize, usize)> =
        shape.iter().zip(strides).filter(|(n, _)| **n != 1).map(|(&n, &s)| (n, size * s)).collect();
    let length = size * shape.iter().product::<usize>();
    let (mut index, mut from, mut ordered) = (vec![0; axes.len()], 0, Vec::with_capacity(length));
    while ordered.len() < length {
        ordered.extend_from_slice(&elements[from..from + size]);
        for (k, &(n, stride)) in axes.iter().enumerate().rev() {
            index[k] += 1;
            from += stride;
            if index[k] < n {
                break;
            }
            from -= stride * n;
            index[k] = 0;
        }
    }
    ordered
}

/// The element type of an array in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DType {
    F16,
    BF16,
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

impl DType {
    /// Every type.
    pub(super) const ALL: [DType; 13] = [
        DType::F16,
        DType::BF16,
        DType::F32,
        DType::F64,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U16,
        DType::U32,
        DType::U64,
        DType::Bool,
    ];

    /// The name in safetensors, the name in npy, and the bytes per element.
    fn properties(self) -> (&'static str, &'static str, usize) {
        match self {
            DType::F16 => ("F16", "f2", 2),
            DType::BF16 => ("BF16", "V2", 2),
            DType::F32 => ("F32", "f4", 4),
            DType::F64 => ("F64", "f8", 8),
            DType::I8 => ("I8", "i1", 1),
            DType::I16 => ("I16", "i2", 2),
            DType::I32 => ("I32", "i4", 4),
            DType::I64 => ("I64", "i8", 8),
            DType::U8 => ("U8", "u1", 1),
            DType::U16 => ("U16", "u2", 2),
            DType::U32 => ("U32", "u4", 4),
            DType::U64 => ("U64", "u8", 8),
            DType::Bool => ("BOOL", "b1", 1),
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

    /// The bytes per element.
    pub(super) fn size(self) -> usize {
        self.properties().2
    }

    /// Whether the elements are integers or booleans.
    pub(super) fn is_integer(self) -> bool {
        !matches!(self, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
    }

    /// The bytes of an array; `None` if there is no tensor of that shape.
    pub(super) fn bytes(self, shape: &[usize]) -> Option<u64> {
        count(shape).map(|count| (count * self.size()) as u64)
    }
}

/// An array that is read in blocks of little-endian elements.
pub(super) struct Decoder {
    dtype: DType,
    shape: Vec<usize>,
    elements: Elements,
}

enum Elements {
    Single(Vec<f32>),
    Double(Vec<f64>),
    Integers(Vec<i64>),
}

impl Decoder {
    /// Nothing read yet. The shape must be one for which [`DType::bytes`] is known and justified by the size of the file.
    pub(super) fn new(dtype: DType, shape: Vec<usize>) -> Self {
        let count = shape.iter().product();
        let elements = match dtype {
            DType::F16 | DType::BF16 | DType::F32 => Elements::Single(Vec::with_capacity(count)),
            DType::F64 => Elements::Double(Vec::with_capacity(count)),
            _ => Elements::Integers(Vec::with_capacity(count)),
        };
        Decoder { dtype, shape, elements }
    }

    /// Appends elements; `Err` is one that does not fit in an `i64`.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), u64> {
        fn add<const N: usize, E>(list: &mut Vec<E>, bytes: &[u8], element: impl Fn([u8; N]) -> E) {
            list.extend(bytes.as_chunks().0.iter().map(|&bytes| element(bytes)));
        }
        match (&mut self.elements, self.dtype) {
            (Elements::Single(list), DType::F16) => add(list, bytes, |b| half::f32_from_f16(u16::from_le_bytes(b))),
            (Elements::Single(list), DType::BF16) => add(list, bytes, |b| half::f32_from_bf16(u16::from_le_bytes(b))),
            (Elements::Single(list), _) => add(list, bytes, f32::from_le_bytes),
            (Elements::Double(list), _) => add(list, bytes, f64::from_le_bytes),
            (Elements::Integers(list), dtype) => match dtype {
                DType::I8 => add(list, bytes, |b| i8::from_le_bytes(b).into()),
                DType::I16 => add(list, bytes, |b| i16::from_le_bytes(b).into()),
                DType::I32 => add(list, bytes, |b| i32::from_le_bytes(b).into()),
                DType::U16 => add(list, bytes, |b| u16::from_le_bytes(b).into()),
                DType::U32 => add(list, bytes, |b| u32::from_le_bytes(b).into()),
                DType::U64 => {
                    let wide = bytes.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes));
                    if let Some(too_large) = wide.clone().find(|&n| i64::try_from(n).is_err()) {
                        return Err(too_large);
                    }
                    list.extend(wide.map(u64::cast_signed));
                }
                DType::U8 | DType::Bool => add(list, bytes, |b| u8::from_le_bytes(b).into()),
                _ => add(list, bytes, i64::from_le_bytes),
            },
        }
        Ok(())
    }

    /// The array, once all of its elements were pushed.
    pub(super) fn finish(self) -> Array {
        match (self.elements, self.dtype) {
            (Elements::Single(list), DType::F16) => Array::F16(Tensor::from_vec(list, self.shape)),
            (Elements::Single(list), DType::BF16) => Array::BF16(Tensor::from_vec(list, self.shape)),
            (Elements::Single(list), _) => Array::F32(Tensor::from_vec(list, self.shape)),
            (Elements::Double(list), _) => Array::F64(Tensor::from_vec(list, self.shape)),
            (Elements::Integers(elements), _) => Array::Integers(Integers { shape: self.shape, elements }),
        }
    }
}
