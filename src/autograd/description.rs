//! The settings of an operation, as listings show them.

use std::fmt::{self, Debug, Display, Formatter};

/// Names and values of the settings of an operation, such as `{ axis: 1 }`.
#[derive(Clone, Debug, Default)]
pub struct Description {
    fields: Vec<(&'static str, String)>,
    infinite: bool,
}

impl Description {
    /// Adds a setting that is a number.
    pub fn number(&mut self, name: &'static str, value: f64) -> &mut Self {
        self.infinite |= value.is_infinite();
        self.field(name, &value)
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
