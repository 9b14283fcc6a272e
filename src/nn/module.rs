//! Finding the parameters of a model.

use super::Summary;
use crate::autograd::Param;
use crate::tensor::Float;
use std::fmt::{self, Display, Formatter, Write};

/// Anything with parameters: a [`Param`], a layer, a model.
///
/// [`module!`](crate::module) implements it for a struct whose fields are modules. Vectors, arrays, options, boxes and tuples
/// of modules are modules too. One traversal, in the order of the fields, serves optimizers, checkpoints and summaries.
///
/// ```
/// use wengert::prelude::*;
///
/// struct Mlp { layers: Vec<Linear>, scale: Param }
/// module!(Mlp { layers, scale });
///
/// let mut rng = wengert::rng(0);
/// let layer = |inputs, outputs, rng: &mut _| Linear::new(inputs, outputs, Init::He, rng);
/// let model = Mlp { layers: vec![layer(4, 3, &mut rng), layer(3, 2, &mut rng)], scale: Param::new(1.0) };
/// let paths: Vec<String> = model.parameters().into_iter().map(|(path, _)| path).collect();
/// assert_eq!(paths, ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "scale"]);
/// assert_eq!(model.parameter_count(), 4 * 3 + 3 + 3 * 2 + 2 + 1);
/// ```
pub trait Module<T: Float = f32> {
    /// The name of the type, such as `Linear`.
    fn kind(&self) -> &'static str;

    /// Calls `f` with every parameter and buffer, and its path.
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>));

    /// Calls `f` with every parameter and buffer, for changing it, and its path.
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>));

    /// Every parameter and buffer with its path, such as `layers.0.weight`, in the order of the fields.
    fn parameters(&self) -> Vec<(String, &Param<T>)> {
        let mut parameters = Vec::new();
        self.visit(&mut Path::new(), &mut |path, param| parameters.push((path.to_string(), param)));
        parameters
    }

    /// Every parameter and buffer with its path, for changing it.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // An exponential moving average of a model.
    /// let model: Linear = Linear::new(3, 2, Init::He, &mut wengert::rng(0));
    /// let mut average = model.clone();
    /// for ((_, average), (_, param)) in average.parameters_mut().into_iter().zip(model.parameters()) {
    ///     *average.value_mut() = average.value() * 0.99 + param.value() * 0.01;
    /// }
    /// ```
    fn parameters_mut(&mut self) -> Vec<(String, &mut Param<T>)> {
        let mut parameters = Vec::new();
        self.visit_mut(&mut Path::new(), &mut |path, param| parameters.push((path.to_string(), param)));
        parameters
    }

    /// The number of trainable numbers.
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.visit(&mut Path::new(), &mut |_, param| count += usize::from(param.is_trainable()) * param.value().len());
        count
    }

    /// A table of the layers with their parameters, for printing.
    fn summary(&self) -> Summary {
        Summary::of(|path, f| self.visit(path, f))
    }
}

/// The kinds of modules that only lead to others.
const CONTAINERS: [&str; 3] = ["Vec", "array", "tuple"];

/// Where in a model a traversal is: the fields on the way, joined by dots.
#[derive(Debug, Default)]
pub struct Path {
    text: String,
    /// Length of the text before each step, and the type that was entered with it.
    steps: Vec<(usize, &'static str)>,
}

/// A step of a [`Path`]: what a module holds the next one by.
pub enum PathStep<'a> {
    /// The name of a field.
    Field(&'a str),
    /// A position in a list.
    Position(usize),
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

/// Implements [`Module`](crate::nn::Module) for a struct: lists the fields that are modules.
///
/// Every field must be listed. One that is forgotten is a compile error ("pattern does not mention field"), because it would
/// not be trained. Fields that hold no parameters come after a semicolon. A struct that is generic over the precision is
/// written with its parameter, one of a fixed precision other than `f32` with that: `module!(Net in f64 { … })`.
///
/// ```
/// use wengert::prelude::*;
///
/// struct Block<T: Float> { weight: Param<T>, inner: Option<Linear<T>>, rate: f64 }
/// module!(Block<T> { weight, inner; rate });
/// ```
///
/// ```compile_fail
/// use wengert::prelude::*;
///
/// struct Forgetful { weight: Param, bias: Param }
/// module!(Forgetful { weight });
/// ```
#[macro_export]
macro_rules! module {
    ($name:ident { $($fields:tt)* }) => {
        $crate::module!(@impl [] [f32] $name [$name] { $($fields)* });
    };
    ($name:ident in $t:ident { $($fields:tt)* }) => {
        $crate::module!(@impl [] [$t] $name [$name] { $($fields)* });
    };
    ($name:ident<$t:ident> { $($fields:tt)* }) => {
        $crate::module!(@impl [<$t: $crate::Float>] [$t] $name [$name<$t>] { $($fields)* });
    };
    (@impl [$($generics:tt)*] [$t:ty] $kind:ident [$name:ty] { $($field:ident),* $(,)? $(; $($other:ident),* $(,)?)? }) => {
        impl $($generics)* $crate::nn::Module<$t> for $name {
            fn kind(&self) -> &'static str {
                stringify!($kind)
            }
            fn visit<'a>(
                &'a self,
                path: &mut $crate::nn::Path,
                f: &mut dyn FnMut(&$crate::nn::Path, &'a $crate::Param<$t>),
            ) {
                let Self { $($field,)* $($($other: _,)*)? } = self;
                let kind = $crate::nn::Module::<$t>::kind(self);
                $(path.step(stringify!($field), kind, |path| $crate::nn::Module::<$t>::visit($field, path, f));)*
                let _ = (path, f, kind);
            }
            fn visit_mut<'a>(
                &'a mut self,
                path: &mut $crate::nn::Path,
                f: &mut dyn FnMut(&$crate::nn::Path, &'a mut $crate::Param<$t>),
            ) {
                let kind = $crate::nn::Module::<$t>::kind(self);
                let Self { $($field,)* $($($other: _,)*)? } = self;
                $(path.step(stringify!($field), kind, |path| $crate::nn::Module::<$t>::visit_mut($field, path, f));)*
                let _ = (path, f, kind);
            }
        }
    };
}

impl<T: Float> Module<T> for Param<T> {
    fn kind(&self) -> &'static str {
        "Param"
    }
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
        f(path, self);
    }
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
        f(path, self);
    }
}

/// Implements [`Module`] for a type that only leads to others: what is given for `self` and for `&mut self` are
/// iterators over the names and the modules inside.
macro_rules! container {
    ([$($generics:tt)*] $container:ty, $kind:literal, |$inside:ident| $names:expr, $shared:expr, $exclusive:expr) => {
        impl<T: Float, $($generics)*> Module<T> for $container {
            fn kind(&self) -> &'static str {
                $kind
            }
            fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
                let $inside = self;
                for (name, module) in ($names).zip($shared) {
                    path.step(name, $kind, |path| module.visit(path, f));
                }
            }
            fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
                let $inside = self;
                for (name, module) in ($names).zip($exclusive) {
                    path.step(name, $kind, |path| module.visit_mut(path, f));
                }
            }
        }
    };
}
container!([M: Module<T>] Vec<M>, "Vec", |all| 0.., all.iter(), all.iter_mut());
container!([M: Module<T>, const N: usize] [M; N], "array", |all| 0.., all.iter(), all.iter_mut());

impl<T: Float, M: Module<T>> Module<T> for Option<M> {
    fn kind(&self) -> &'static str {
        self.as_ref().map_or("None", M::kind)
    }
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
        self.iter().for_each(|module| module.visit(path, f));
    }
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
        self.iter_mut().for_each(|module| module.visit_mut(path, f));
    }
}

impl<T: Float, M: Module<T> + ?Sized> Module<T> for Box<M> {
    fn kind(&self) -> &'static str {
        (**self).kind()
    }
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
        (**self).visit(path, f);
    }
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
        (**self).visit_mut(path, f);
    }
}

macro_rules! tuple {
    ($($name:ident $module:ident),*) => {
        impl<T: Float, $($module: Module<T>),*> Module<T> for ($($module,)*) {
            fn kind(&self) -> &'static str {
                "tuple"
            }
            fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
                let ($($name,)*) = self;
                let mut names = 0..;
                $(path.step(names.next().unwrap_or_default(), "tuple", |path| $name.visit(path, f));)*
            }
            fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
                let ($($name,)*) = self;
                let mut names = 0..;
                $(path.step(names.next().unwrap_or_default(), "tuple", |path| $name.visit_mut(path, f));)*
            }
        }
    };
}
tuple!(a A);
tuple!(a A, b B);
tuple!(a A, b B, c C);
tuple!(a A, b B, c C, d D);
