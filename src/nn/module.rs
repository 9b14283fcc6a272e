//! The [`Module`] trait: traversal of the parameters of a model.

use super::{Path, Summary};
use crate::autograd::{Param, Tape};
use crate::tensor::Float;

/// Anything with parameters: a [`Param`], a layer, a model.
///
/// `#[derive(Module)]` or [`module!`](crate::module) implements it for a struct whose fields are modules. Vectors, arrays,
/// options, boxes, tuples of up to 12 elements and `BTreeMap`s of modules are modules too. Optimizers, checkpoints and
/// summaries share one traversal, in field order.
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
///
/// For a trait with `Module` as a supertrait, such as [`Layer`](crate::nn::Layer), `Vec<Box<dyn Trait>>` is a module too. A
/// `HashMap` is not a module, since its iteration order, and with it that of summaries, files and random numbers, differs from
/// run to run.
///
/// # Tied weights
///
/// A parameter that is used twice is a single leaf of the tape, and its gradient is the sum over both uses. Weights are
/// therefore tied by using the same parameter twice; it belongs to the layer that owns it and is saved under that path. `Rc`
/// and `Arc` are not modules: optimizers update parameters in place, which shared ownership does not allow.
///
/// ```
/// use wengert::prelude::*;
///
/// struct Decoder { embedding: Embedding, hidden: Linear }
/// module!(Decoder { embedding, hidden });
///
/// impl Decoder {
///     fn forward(&self, tape: &Tape, words: [usize; 2]) -> Var {
///         let h = self.hidden.forward(&self.embedding.forward(tape, words)).tanh();
///         h.linear(&self.embedding.weight) // scores of the words
///     }
/// }
/// # let mut rng = wengert::rng(0);
/// # let embedding = Embedding::new(5, 3, Init::Normal(1.0), &mut rng);
/// # let model = Decoder { embedding, hidden: Linear::new(3, 3, Init::Xavier, &mut rng) };
/// # let gradients = model.forward(&Tape::new(), [1, 4]).sum().backward();
/// # assert_eq!((model.parameters().len(), gradients.len()), (3, 3));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Module<{T}>`",
    label = "not a module",
    note = "derive it with `#[derive(Module)]`, or list the fields of a struct with `module!`",
    note = "a field without parameters is marked `#[module(skip)]`, or stands after the semicolon of `module!`",
    note = "a struct in double precision has `#[module(f64)]` beside the derive, or is `module!(Net in f64 {{ … }})`"
)]
pub trait Module<T: Float = f32> {
    /// The name of the type, such as `Linear`.
    fn kind(&self) -> &'static str;

    /// Calls `f` with each parameter and buffer and its path.
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>));

    /// Calls `f` with a mutable reference to each parameter and buffer and its path.
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>));

    /// All parameters and buffers with their paths, such as `layers.0.weight`, in field order.
    ///
    /// [`Param::is_trainable`] distinguishes parameters from buffers.
    #[doc(alias = "named_parameters")]
    #[doc(alias("Model", "nn.Module"))]
    #[doc(alias = "state_dict")]
    fn parameters(&self) -> Vec<(String, &Param<T>)> {
        let mut parameters = Vec::new();
        self.visit(&mut Path::new(), &mut |path, param| parameters.push((path.to_string(), param)));
        parameters
    }

    /// Mutable references to all parameters and buffers with their paths: for clamping, initialization by name, or averaging
    /// over time.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let mut model: [Linear; 1] = [Linear::new(2, 2, Init::He, &mut wengert::rng(0))];
    /// let mut average = model.clone();
    /// for (path, param) in model.parameters_mut() {
    ///     let value = if path.ends_with("bias") { 1.0 } else { 0.5 };
    ///     *param.value_mut() = Tensor::full(param.shape(), value);
    /// }
    /// // An exponential moving average of the weights.
    /// for ((_, mean), (_, param)) in average.parameters_mut().into_iter().zip(model.parameters()) {
    ///     *mean.value_mut() = mean.value() * 0.9 + param.value() * 0.1;
    /// }
    /// assert!((average[0].bias.as_ref().unwrap().value()[[0]] - 0.1).abs() < 1e-6);
    /// ```
    fn parameters_mut(&mut self) -> Vec<(String, &mut Param<T>)> {
        let mut parameters = Vec::new();
        self.visit_mut(&mut Path::new(), &mut |path, param| parameters.push((path.to_string(), param)));
        parameters
    }

    /// The total number of trainable elements.
    #[doc(alias("num_params", "count_params"))]
    #[doc(alias = "numel")]
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.visit(&mut Path::new(), &mut |_, param| count += usize::from(param.is_trainable()) * param.value().len());
        count
    }

    /// A printable table of the layers and their parameters.
    #[doc(alias = "torchinfo")]
    fn summary(&self) -> Summary {
        Summary::of(&|path, f| self.visit(path, f))
    }

    /// A [`summary`](Module::summary) with the shape of each layer's output, its floating-point operations and its memory in bytes, from
    /// a run of the model.
    ///
    /// A multiply-add of a product counts as two; any other function counts as one per element. The memory is that of
    /// parameters, buffers and computed values, each kept. Dropout is the identity.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let model: Linear = Linear::new(784, 10, Init::He, &mut wengert::rng(0));
    /// let summary = model.summary_of(|tape| model.forward(&tape.constant(Tensor::zeros([32, 784]))));
    /// assert_eq!(summary.operations(), 32 * 10 * (2 * 784 + 1));
    /// println!("{summary}");
    /// ```
    #[doc(alias("torchinfo", "FLOPs", "flop_counter"))]
    fn summary_of<R>(&self, run: impl FnOnce(&Tape<T>) -> R) -> Summary
    where
        Self: Sized,
    {
        self.summary().measured(self, |tape| _ = run(tape))
    }
}

/// Implements [`Module`](crate::nn::Module) for a struct, given the fields that are modules.
///
/// `#[derive(Module)]` does the same without a list, and also supports enums, which the compiler refuses here as "not a struct", tuple
/// structs and generic structs.
///
/// Every field must be listed, since an omitted one would not be trained; the compiler reports "missing field `bias` in
/// initializer". Fields without parameters come after a semicolon. A struct that is generic over the element type is written
/// with its type parameter, and a struct with a fixed element type other than `f32` as `module!(Net in f64 { … })`.
///
/// ```
/// use wengert::prelude::*;
///
/// struct Block<T: Float> { weight: Param<T>, inner: Option<Linear<T>>, rate: f64 }
/// module!(Block<T> { weight, inner; rate });
/// ```
///
/// ```compile_fail,E0063
/// use wengert::prelude::*;
///
/// struct Forgetful { weight: Param, bias: Param }
/// module!(Forgetful { weight });
/// ```
///
/// Raw identifiers lose their prefix: a parameter of the field `r#gen` has a path such as `gen.weight`.
#[macro_export]
macro_rules! module {
    ($name:ident { $($fields:tt)* }) => {
        $crate::module!(@impl [] [f32] $name [$name] { $($fields)* });
    };
    ($name:ident in $t:ident { $($fields:tt)* }) => {
        $crate::module!(@impl [] [$t] $name [$name] { $($fields)* });
    };
    // Without these two a parameter of the name f32 would be declared.
    ($name:ident<f32> { $($fields:tt)* }) => {
        compile_error!(concat!("module! names a fixed element type after `in`: `", stringify!($name), " in f32 { … }`"));
    };
    ($name:ident<f64> { $($fields:tt)* }) => {
        compile_error!(concat!("module! names a fixed element type after `in`: `", stringify!($name), " in f64 { … }`"));
    };
    ($name:ident<$t:ident> { $($fields:tt)* }) => {
        $crate::module!(@impl [<$t: $crate::Float>] [$t] $name [$name<$t>] { $($fields)* });
    };
    (@impl [$($generics:tt)*] [$t:ty] $kind:ident [$name:ty] { $($field:ident),* $(,)? $(; $($other:ident),* $(,)?)? }) => {
        impl $($generics)* $crate::nn::Module<$t> for $name {
            fn kind(&self) -> &'static str {
                stringify!($kind)
            }
            #[inline(never)]
            fn visit<'a>(
                &'a self,
                path: &mut $crate::nn::Path,
                f: &mut dyn FnMut(&$crate::nn::Path, &'a $crate::Param<$t>),
            ) {
                // Never called. It makes the compiler report a field that is not listed.
                let _ = || Self { $($field: $crate::nn::absent(),)* $($($other: $crate::nn::absent(),)*)? };
                $(path.step($crate::nn::PathStep::field(stringify!($field)), stringify!($kind), |path| {
                    $crate::nn::Module::<$t>::visit(&self.$field, path, f)
                });)*
                let _ = (path, f);
            }
            #[inline(never)]
            fn visit_mut<'a>(
                &'a mut self,
                path: &mut $crate::nn::Path,
                f: &mut dyn FnMut(&$crate::nn::Path, &'a mut $crate::Param<$t>),
            ) {
                $(path.step($crate::nn::PathStep::field(stringify!($field)), stringify!($kind), |path| {
                    $crate::nn::Module::<$t>::visit_mut(&mut self.$field, path, f)
                });)*
                let _ = (path, f);
            }
        }
    };
    ($($other:tt)*) => {
        compile_error!(concat!(
            "module! takes `Name { fields; other fields }`, `Name in f64 { … }` or `Name<T> { … }` with named fields: ",
            "#[derive(Module)] serves enums, tuple structs and structs that are generic over modules"
        ));
    };
}

/// A value of any type, for code that is never executed.
#[doc(hidden)]
pub fn absent<A>() -> A {
    unreachable!("only named in code that never runs")
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
