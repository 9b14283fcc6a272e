//! The paths of parameters in a model.

use std::fmt::{self, Display, Formatter, Write};

/// The kinds of modules that are containers of other modules.
const CONTAINERS: [&str; 5] = ["Vec", "array", "slice", "BTreeMap", "tuple"];

/// The current position of a traversal of a model: field names and list positions, joined by dots.
#[derive(Debug, Default)]
pub struct Path {
    text: String,
    /// For each step the length of the text before it and the kind of the module that contains it.
    steps: Vec<(usize, &'static str)>,
}

/// A component of a [`Path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStep<'a> {
    /// The name of a field.
    Field(&'a str),
    /// A position in a list.
    Position(usize),
}

impl<'a> PathStep<'a> {
    /// The struct field with the given identifier; the prefix of a raw identifier is removed, so `r#gen` becomes `gen`.
    pub fn field(identifier: &'a str) -> Self {
        PathStep::Field(identifier.strip_prefix("r#").unwrap_or(identifier))
    }
}

impl<'a> From<&'a str> for PathStep<'a> {
    fn from(name: &'a str) -> Self {
        PathStep::Field(name)
    }
}

impl From<usize> for PathStep<'_> {
    fn from(position: usize) -> Self {
        PathStep::Position(position)
    }
}

impl Path {
    /// The empty path, that of the model itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `visit` with the path extended by `name`, a field or list position of a module of type `kind`.
    #[inline]
    pub fn step<'a, R>(
        &mut self,
        name: impl Into<PathStep<'a>>,
        kind: &'static str,
        visit: impl FnOnce(&mut Path) -> R,
    ) -> R {
        let length = self.enter(name.into(), kind);
        let result = visit(self);
        self.leave(length);
        result
    }

    /// Appends a step; returns the length of the text before it.
    fn enter(&mut self, step: PathStep, kind: &'static str) -> usize {
        let length = self.text.len();
        if length > 0 {
            self.text.push('.');
        }
        match step {
            PathStep::Field(name) => self.text.push_str(name),
            PathStep::Position(position) => write!(self.text, "{position}").expect("writing to a string does not fail"),
        }
        self.steps.push((length, kind));
        length
    }

    /// Removes the last step.
    fn leave(&mut self, length: usize) {
        self.steps.pop();
        self.text.truncate(length);
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The paths and types of the enclosing modules, outermost first, without the model itself and containers.
    pub(super) fn modules(&self) -> Vec<(String, &'static str)> {
        let modules = self.steps.iter().skip(1).filter(|(_, kind)| !CONTAINERS.contains(kind));
        modules.map(|&(length, kind)| (self.text[..length].to_string(), kind)).collect()
    }

    /// The path and type of the parent module, and the last component.
    pub(super) fn split(&self) -> (&str, &'static str, &str) {
        let Some(&(length, kind)) = self.steps.last() else { return ("", "", "") };
        (&self.text[..length], kind, self.text[length..].trim_start_matches('.'))
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}
