//! The attributes of an operator: it is known which of them were read.

use crate::Fault;
use crate::json::{Map, Read, Value};
use std::cell::RefCell;
use wengert::tensor::{Axes, AxisList};
use wengert::{CrossEntropy, Reduction, Tensor, keepdim};

/// The attributes of one use of an operator.
pub struct Attributes<'a> {
    op: &'a str,
    values: &'a Map<String, Value>,
    read: RefCell<Vec<&'static str>>,
}

impl<'a> Attributes<'a> {
    /// The attributes of `op`, none of them read.
    pub fn new(op: &'a str, values: &'a Map<String, Value>) -> Self {
        Attributes { op, values, read: RefCell::default() }
    }

    /// A required attribute. An `Option` is `None` if it is null or absent.
    pub fn get<T: Read>(&self, key: &'static str) -> Result<T, Fault> {
        self.read.borrow_mut().push(key);
        let value = self.values.get(key).unwrap_or(&Value::Null);
        T::read(value).ok_or_else(|| match value {
            Value::Null => Fault::Failed(format!("{} without {key}", self.op)),
            _ => self.unknown(key),
        })
    }

    /// An attribute that has a default.
    pub fn get_or<T: Read>(&self, key: &'static str, default: T) -> Result<T, Fault> {
        Ok(self.get::<Option<T>>(key)?.unwrap_or(default))
    }

    /// An axis, a size, or another whole number.
    pub fn int(&self, key: &'static str) -> Result<isize, Fault> {
        self.get(key)
    }

    /// A real number.
    pub fn real(&self, key: &'static str) -> Result<f64, Fault> {
        self.get(key)
    }

    /// A value for each of `D` axes, which may be written as one.
    pub fn per_axis<const D: usize>(&self, key: &'static str, default: usize) -> Result<[usize; D], Fault> {
        let values = self.get_or(key, vec![default])?;
        let spread = if let [value] = values[..] { vec![value; D] } else { values };
        spread.try_into().map_err(|_| self.unknown(key))
    }

    /// A list of pairs, written one after the other.
    pub fn pairs(&self, key: &'static str) -> Result<Vec<(usize, usize)>, Fault> {
        let numbers = self.get::<Vec<usize>>(key)?;
        let pair = |pair: &[usize]| <[usize; 2]>::try_from(pair).map(Into::into).map_err(|_| self.unknown(key));
        numbers.chunks(2).map(pair).collect()
    }

    /// The axes of a reduction.
    pub fn axes(&self) -> Result<AxisList, Fault> {
        let axes = match self.get::<Option<Vec<isize>>>("dim")? {
            Some(axes) => axes.list(),
            None => (..).list(),
        };
        Ok(if self.get_or("keepdim", false)? { keepdim(axes).list() } else { axes })
    }

    /// How a loss is reduced.
    pub fn reduction(&self) -> Result<Reduction, Fault> {
        match self.get::<String>("reduction")?.as_str() {
            "none" => Ok(Reduction::None),
            "sum" => Ok(Reduction::Sum),
            "mean" => Ok(Reduction::Mean),
            "batchmean" => Ok(Reduction::BatchMean),
            _ => Err(self.unknown("reduction")),
        }
    }

    /// The options of a loss on classes.
    pub fn cross_entropy(&self) -> Result<CrossEntropy, Fault> {
        let weight = self.get::<Option<Tensor<f64>>>("weight")?;
        let ignored: isize = self.get_or("ignore_index", -100)?;
        let options = CrossEntropy::new().reduction(self.reduction()?).ignore_index(ignored as i64);
        Ok(weight.iter().fold(options, |options, weight| options.class_weights(weight.as_slice())))
    }

    /// The class labels of a loss.
    pub fn labels(&self) -> Result<Vec<i64>, Fault> {
        Ok(self.get::<Tensor<f64>>("target")?.iter().map(|&label| label as i64).collect())
    }

    /// That an attribute has a value which no row knows.
    pub fn unknown(&self, key: &str) -> Fault {
        Fault::Unsupported(format!("{}: {key} = {}", self.op, self.values[key]))
    }

    /// Nothing may have been given that was not read.
    pub fn all_read(&self) -> Result<(), Fault> {
        let read = self.read.borrow();
        let unread = self.values.iter().find(|(key, value)| !value.is_null() && !read.contains(&key.as_str()));
        unread.map_or(Ok(()), |(key, _)| Err(self.unknown(key)))
    }
}
