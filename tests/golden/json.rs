//! Reading of JSON values: numbers, lists and tensors.

use crate::Fault;
pub use serde_json::{Map, Value};
use wengert::{Indices, Tensor};

/// What a JSON value can be read as; `None` if it has another form.
pub trait Read: Sized {
    /// Reads a value.
    fn read(value: &Value) -> Option<Self>;
}

/// A required entry of an object. One that is absent reads as null.
pub fn field<T: Read>(object: &Value, key: &str) -> Result<T, Fault> {
    T::read(object.get(key).unwrap_or(&Value::Null))
        .ok_or_else(|| Fault::Failed(format!("`{key}` is missing or malformed")))
}

impl Read for Value {
    fn read(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl Read for Map<String, Value> {
    fn read(value: &Value) -> Option<Self> {
        value.as_object().cloned()
    }
}

impl Read for bool {
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Read for isize {
    fn read(value: &Value) -> Option<Self> {
        value.as_i64()?.try_into().ok()
    }
}

impl Read for usize {
    fn read(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

/// A number, or the name of one that JSON cannot write.
impl Read for f64 {
    fn read(value: &Value) -> Option<Self> {
        match value.as_str() {
            Some("inf") => Some(f64::INFINITY),
            Some("-inf") => Some(f64::NEG_INFINITY),
            Some("nan") => Some(f64::NAN),
            Some(_) => None,
            None => value.as_f64(),
        }
    }
}

impl Read for String {
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(String::from)
    }
}

/// Null is `None`.
impl<T: Read> Read for Option<T> {
    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }
}

/// A list; a value without brackets is a list of one.
impl<T: Read> Read for Vec<T> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Array(list) => list.iter().map(T::read).collect(),
            single => Some(vec![T::read(single)?]),
        }
    }
}

/// `{"shape": […], "data": […]}`, row-major.
impl Read for Tensor<f64> {
    fn read(value: &Value) -> Option<Self> {
        let shape = Vec::<usize>::read(value.get("shape")?)?;
        let data = Vec::<f64>::read(value.get("data")?)?;
        let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
        (count == data.len()).then(|| Tensor::from_vec(data, shape))
    }
}

/// A tensor of whole numbers.
impl Read for Indices {
    fn read(value: &Value) -> Option<Self> {
        let numbers = Tensor::<f64>::read(value)?;
        let index = |&x: &f64| (x >= 0.0 && x.fract() == 0.0).then_some(x as usize);
        let indices: Option<Vec<usize>> = numbers.as_slice().iter().map(index).collect();
        Some(Indices::new(indices?, numbers.shape()))
    }
}
