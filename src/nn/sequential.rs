//! A sequence of layers built at run time.

use super::{Lambda, Layer, Module, Path};
use crate::autograd::{Param, Var};
use crate::tensor::Float;
use std::fmt::{self, Debug, Formatter};

/// Layers applied in sequence, their number chosen at run time.
///
/// ```
/// use wengert::nn::{Relu, Sequential};
/// use wengert::prelude::*;
///
/// # let mut rng = wengert::rng(0);
/// let mut model = Sequential::new();
/// for sizes in [784, 256, 64].windows(2) {
///     model = model.append(Linear::new(sizes[0], sizes[1], Init::He, &mut rng)).append(Relu);
/// }
/// let model = model.append(Linear::new(64, 10, Init::Xavier, &mut rng)).append_fn(|x| x.log_softmax(1));
///
/// let tape = Tape::inference();
/// assert_eq!(model.forward(&tape.constant(Tensor::ones([5, 784]))).shape(), [5, 10]);
/// assert_eq!(model.parameters()[2].0, "2.weight"); // numbered as in PyTorch
/// ```
///
/// If the layers are known at compile time, a tuple of them is a [`Layer`] too, and keeps their types.
pub struct Sequential<T: Float = f32> {
    layers: Vec<Box<dyn CloneLayer<T>>>,
}

/// A layer that can be cloned as a trait object.
trait CloneLayer<T: Float>: Layer<T> {
    fn clone_box(&self) -> Box<dyn CloneLayer<T>>;
}

impl<T: Float, L: Layer<T> + Clone + 'static> CloneLayer<T> for L {
    fn clone_box(&self) -> Box<dyn CloneLayer<T>> {
        Box::new(self.clone())
    }
}

impl<T: Float> Sequential<T> {
    /// An empty sequence, which is the identity.
    #[doc(alias("ModuleList", "TwoLayerNet", "MultiLayerNet"))]
    pub fn new() -> Self {
        Sequential { layers: Vec::new() }
    }

    /// Appends a layer.
    #[must_use]
    pub fn append(mut self, layer: impl Layer<T> + Clone + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// Appends a closure as a layer.
    #[must_use]
    pub fn append_fn(self, f: impl Fn(&Var<T>) -> Var<T> + Clone + Send + Sync + 'static) -> Self {
        self.append(Lambda(f))
    }

    /// Iterates over the layers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &dyn Layer<T>> {
        self.layers.iter().map(|layer| &**layer as &dyn Layer<T>)
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

impl<T: Float> Layer<T> for Sequential<T> {
    #[track_caller]
    fn forward(&self, x: &Var<T>) -> Var<T> {
        self.layers.forward(x)
    }
}

impl<T: Float> Module<T> for Sequential<T> {
    fn kind(&self) -> &'static str {
        "Sequential"
    }
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
        self.layers.visit(path, f);
    }
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
        self.layers.visit_mut(path, f);
    }
}

impl<T: Float> Clone for Sequential<T> {
    fn clone(&self) -> Self {
        Sequential { layers: self.layers.iter().map(|layer| (**layer).clone_box()).collect() }
    }
}

impl<T: Float> Default for Sequential<T> {
    fn default() -> Self {
        Sequential::new()
    }
}

impl<T: Float> Debug for Sequential<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str("Sequential ")?;
        f.debug_list().entries(self.layers.iter().map(|layer| layer.kind())).finish()
    }
}
