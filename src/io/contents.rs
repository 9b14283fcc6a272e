//! The arrays of a file by name, each read from its place when it is asked for.

use crate::error::Error;
use crate::file::{self, Source};
use crate::io::array::{Array, DType, Decoder, contiguous, describe, gathered};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The bytes that are read at a time: a multiple of the size of every element.
pub(super) const BLOCK: u64 = 1 << 16;

/// The arrays of a file of any format, and its metadata.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) arrays: BTreeMap<String, StoredArray>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// An open file of weights. It is opened once, so that all reads are from the same file even if its path is replaced meanwhile.
#[derive(Debug)]
pub(super) struct WeightFile {
    pub(super) path: PathBuf,
    pub(super) length: u64,
    file: File,
}

/// An array and where its elements are.
#[derive(Clone, Debug)]
pub(super) struct StoredArray {
    dtype: DType,
    shape: Vec<usize>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// Elements from an offset on, in little-endian order; strides count elements.
    File { file: Rc<WeightFile>, offset: u64, strides: Vec<usize> },
    /// An array that was compressed.
    Memory(Array),
}

impl Contents {
    /// Reads all arrays.
    pub(super) fn read(&self) -> Result<BTreeMap<String, Array>, Error> {
        let mut arrays = BTreeMap::new();
        for (name, array) in &self.arrays {
            arrays.insert(name.clone(), array.read(name)?);
        }
        Ok(arrays)
    }
}

/// A map of named values. To collect them would sort them, with a sort compiled for every type of value.
pub(super) fn by_name<V>(values: impl Iterator<Item = (String, V)>) -> BTreeMap<String, V> {
    let mut map = BTreeMap::new();
    values.for_each(|(name, value)| _ = map.insert(name, value));
    map
}

impl From<BTreeMap<String, Array>> for Contents {
    fn from(arrays: BTreeMap<String, Array>) -> Self {
        let stored = arrays.into_iter().map(|(name, array)| {
            let (dtype, shape) = (array.dtype(), array.shape().to_vec());
            (name, StoredArray { dtype, shape, place: Place::Memory(array) })
        });
        Contents { arrays: by_name(stored), metadata: BTreeMap::new() }
    }
}

impl WeightFile {
    pub(super) fn open(path: &Path) -> Result<Rc<Self>, Error> {
        let (file, length) = file::open(path)?;
        Ok(Rc::new(WeightFile { path: path.into(), length, file }))
    }

    /// The content from the first byte on.
    pub(super) fn source(&self) -> Result<Source<'_>, Error> {
        (&self.file).rewind().map_err(Error::io(&self.path))?;
        Ok(Source::new(&self.path, Box::new(&self.file), self.length, self.length))
    }

    /// A second handle.
    pub(super) fn try_clone(&self) -> Result<File, Error> {
        self.file.try_clone().map_err(Error::io(&self.path))
    }

    /// Some bytes, which must be within the file.
    pub(super) fn bytes(&self, offset: u64, count: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; count as usize];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        file::read_exact_at(&self.file, bytes, offset).map_err(Error::io(&self.path))
    }
}

impl StoredArray {
    /// An array in row-major order, all of which must be within the file.
    pub(super) fn new(file: &Rc<WeightFile>, offset: u64, dtype: DType, shape: Vec<usize>) -> Self {
        let strides = contiguous(&shape);
        StoredArray::strided(file, offset, dtype, shape, strides)
    }

    /// An array whose elements lie at these strides, all of which must be within the file.
    pub(super) fn strided(
        file: &Rc<WeightFile>,
        offset: u64,
        dtype: DType,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Self {
        StoredArray { dtype, shape, place: Place::File { file: Rc::clone(file), offset, strides } }
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The bytes of all elements.
    pub(super) fn bytes(&self) -> u64 {
        (self.shape.iter().product::<usize>() * self.dtype.size()) as u64
    }

    /// Type and shape, such as `F32 [2, 3]`.
    pub(super) fn describe(&self) -> String {
        describe(self.dtype.name(), &self.shape)
    }

    /// The array with its axes in reverse order.
    pub(super) fn transposed(&self) -> Self {
        let mut array = self.clone();
        array.shape.reverse();
        match &mut array.place {
            Place::File { strides, .. } => strides.reverse(),
            Place::Memory(values) => *values = values.transposed(),
        }
        array
    }

    /// Whether both are the same elements of the same file.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::File { file: a, offset: b, strides: c }, Place::File { file: x, offset: y, strides: z }) => {
                Rc::ptr_eq(a, x) && (b, c, self.dtype, &self.shape) == (y, z, other.dtype, &other.shape)
            }
            _ => false,
        }
    }

    /// Reads the elements; `name` is for errors.
    pub(super) fn read(&self, name: &str) -> Result<Array, Error> {
        let (file, offset, strides) = match &self.place {
            Place::Memory(array) => return Ok(array.clone()),
            Place::File { file, offset, strides } => (file, *offset, strides),
        };
        let size = self.dtype.size();
        let mut decoder = Decoder::new(self.dtype, self.shape.clone());
        let too_large = |number: u64| {
            let what = format!("elements of {name:?}");
            Error::format(&file.path, offset, &what, "integers that fit in an i64", number.to_string())
        };
        if self.shape.contains(&0) {
            return Ok(decoder.finish());
        }
        let last: usize = self.shape.iter().zip(strides).map(|(n, stride)| (n - 1) * stride).sum();
        let length = ((last + 1) * size) as u64;
        if is_row_major(&self.shape, strides) {
            let mut block = vec![0; BLOCK.min(length) as usize];
            for begin in (0..length).step_by(BLOCK as usize) {
                let block = &mut block[..BLOCK.min(length - begin) as usize];
                file.read_at(offset + begin, block)?;
                decoder.push(block).map_err(too_large)?;
            }
        } else {
            let bytes = file.bytes(offset, length)?;
            decoder.push(&gathered(&bytes, size, &self.shape, strides)).map_err(too_large)?;
        }
        Ok(decoder.finish())
    }
}

/// Whether strides are those of row-major order, but for axes of size 1.
fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let expected = contiguous(shape);
    shape.iter().zip(strides).zip(&expected).all(|((&n, a), b)| n == 1 || a == b)
}
