//! The settings of an operation, as listings show them.

use crate::tensor::{Float, Indices, Tensor};
use std::fmt::{self, Debug, Display, Formatter};

/// Names and values of the settings of an operation, such as `{ axis: 1 }`.
#[derive(Clone, Debug, Default)]
pub struct Description {
    fields: Vec<(&'static str, String)>,
    values: Vec<(&'static str, Setting)>,
    infinite: bool,
}

/// The value of a setting, for those that write the operation down in another form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    Number(f64),
    Integers(Vec<usize>),
    /// Integers that may be negative.
    Signed(Vec<isize>),
    Indices(Indices),
    Tensor(Tensor<f64>),
}

impl Description {
    /// Adds a setting that is a number.
    pub fn number(&mut self, name: &'static str, value: f64) -> &mut Self {
        self.infinite |= value.is_infinite();
        self.data(name, Setting::Number(value)).field(name, &value)
    }

    /// Adds a setting that is an integer.
    pub(crate) fn integer(&mut self, name: &'static str, value: usize) -> &mut Self {
        self.data(name, Setting::Integers(vec![value])).field(name, &value)
    }

    /// Adds a setting that is an integer, which may be negative.
    pub(crate) fn signed(&mut self, name: &'static str, value: isize) -> &mut Self {
        self.data(name, Setting::Signed(vec![value])).field(name, &value)
    }

    /// Adds a setting that is a list of integers, such as axes.
    pub(crate) fn integers(&mut self, name: &'static str, values: &[usize]) -> &mut Self {
        self.data(name, Setting::Integers(values.to_vec())).field(name, &values)
    }

    /// Adds a setting that is on or off.
    pub(crate) fn flag(&mut self, name: &'static str, value: bool) -> &mut Self {
        self.data(name, Setting::Integers(vec![value.into()])).field(name, &value)
    }

    /// Adds a value that listings do not show.
    pub(crate) fn data(&mut self, name: &'static str, value: Setting) -> &mut Self {
        self.values.push((name, value));
        self
    }

    /// Adds a mask, of which listings show the shape.
    pub(crate) fn mask<T: Float>(&mut self, name: &'static str, mask: &Tensor<T>) -> &mut Self {
        self.data(name, Setting::Tensor(mask.cast())).field(name, &mask.shape())
    }

    /// The values of the settings by name.
    pub(crate) fn values(&self) -> &[(&'static str, Setting)] {
        &self.values
    }

    /// The value of a setting.
    pub(crate) fn value(&self, name: &str) -> Option<&Setting> {
        self.values.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Adds a setting of another type.
    pub fn field(&mut self, name: &'static str, value: &dyn Debug) -> &mut Self {
        self.fields.push((name, format!("{value:?}")));
        self
    }

    /// The settings by name.
    pub(crate) fn fields(&self) -> &[(&'static str, String)] {
        &self.fields
    }

    /// Whether a number is infinite: then an infinite value is no anomaly.
    pub(crate) fn has_infinity(&self) -> bool {
        self.infinite
    }
}

/// All settings in braces; nothing if there are none.
impl Display for Description {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let fields: Vec<String> = self.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        if fields.is_empty() { Ok(()) } else { write!(f, "{{ {} }}", fields.join(", ")) }
    }
}
