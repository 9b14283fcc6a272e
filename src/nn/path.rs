//! Where in a model a parameter is.

use std::fmt::{self, Display, Formatter, Write};

/// The kinds of modules that only lead to others.
const CONTAINERS: [&str; 5] = ["Vec", "array", "slice", "BTreeMap", "tuple"];

/// Where in a model a traversal is: the fields on the way, joined by dots.
#[derive(Debug, Default)]
pub struct Path {
    text: String,
    /// Length of the text before each step, and the type that was entered with it.
    steps: Vec<(usize, &'static str)>,
}

/// A step of a [`Path`]: what a module holds the next one by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStep<'a> {
    /// The name of a field.
    Field(&'a str),
    /// A position in a list.
    Position(usize),
}

impl<'a> PathStep<'a> {
    /// The field of a struct with the given identifier, whose name is `gen` if that is `r#gen`.
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
    /// The path of a model itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `visit` one step further in: at the field `name`, or a position in a list, of a module of type `kind`.
    pub fn step<'a, R>(
        &mut self,
        name: impl Into<PathStep<'a>>,
        kind: &'static str,
        visit: impl FnOnce(&mut Path) -> R,
    ) -> R {
        let length = self.text.len();
        if length > 0 {
            self.text.push('.');
        }
        match name.into() {
            PathStep::Field(name) => self.text.push_str(name),
            PathStep::Position(position) => write!(self.text, "{position}").expect("writing to a string does not fail"),
        }
        self.steps.push((length, kind));
        let result = visit(self);
        self.steps.pop();
        self.text.truncate(length);
        result
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The modules around what the path leads to by path and type, the outermost first, without the model and containers.
    pub(super) fn modules(&self) -> Vec<(String, &'static str)> {
        let inside = self.steps.iter().skip(1).filter(|(_, kind)| !CONTAINERS.contains(kind));
        inside.map(|&(length, kind)| (self.text[..length].to_string(), kind)).collect()
    }

    /// The path of the module that holds what the path leads to, the type of that module, and the last step's name.
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
