//! Diagnostics that name the parameters of a model by path.

use super::{Module, Path};
use crate::autograd::{Gradients, MissingGradient, ParamName, Tape};
use crate::panics;
use crate::tensor::Float;
use std::fmt::{self, Display, Formatter};

impl<T: Float> Tape<T> {
    /// Registers the paths of a model's parameters with this tape, for listings, drawings and messages: `layers.0.weight`
    /// instead of `parameter`. It can be called before or after the forward pass.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let model = [Linear::new(2, 1, Init::He, &mut wengert::rng(0))];
    /// let tape = Tape::new();
    /// tape.name_parameters(&model);
    /// let y = model[0].forward(&tape.constant([[1.0, 2.0]]));
    /// assert!(tape.to_string().contains("0.weight"));
    /// ```
    pub fn name_parameters(&self, model: &(impl Module<T> + ?Sized)) {
        model.visit(&mut Path::new(), &mut |path, param| {
            self.name(param, ParamName { path: path.to_string(), modules: path.modules() });
        });
    }
}

impl<T: Float> Gradients<T> {
    /// The trainable parameters of a model that have no gradient, with the reasons; `Display` prints a table.
    ///
    /// Optimizers skip parameters without a gradient. This finds the ones that are skipped by mistake.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = |rng: &mut _| Linear::new(2, 1, Init::He, rng);
    /// let mut rng = wengert::rng(0);
    /// let model = (layer(&mut rng), layer(&mut rng));
    /// let tape = Tape::new();
    /// let x = tape.constant([[1.0, 2.0]]);
    /// let loss = (model.0.forward(&x) + model.1.forward(&x).detach()).sum();
    /// let missing = loss.backward().missing(&model);
    /// let paths: Vec<&str> = missing.iter().map(|(path, _)| path.as_str()).collect();
    /// assert_eq!(paths, ["1.weight", "1.bias"]);
    /// println!("{missing}"); // cut off by the detach at …
    /// ```
    pub fn missing(&self, model: &(impl Module<T> + ?Sized)) -> Missing {
        let mut rows = Vec::new();
        model.visit(&mut Path::new(), &mut |path, param| {
            let reason = self.why_missing(param).filter(|_| param.is_trainable());
            rows.extend(reason.map(|reason| (path.to_string(), reason)));
        });
        Missing(rows)
    }

    /// Panics if these gradients come from a batch normalization of the model whose running averages were never updated,
    /// the symptom of a training loop without training tapes.
    #[track_caller]
    pub(crate) fn check_statistics(&self, model: &dyn Module<T>) {
        if !self.read_initial_statistics() {
            return;
        }
        for (path, param) in model.parameters() {
            if let Some(at) = self.initial_read(param) {
                panics::initial_statistics(&path, at);
            }
        }
    }
}

/// The paths of parameters without a gradient, with the reasons; returned by [`Gradients::missing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<(String, MissingGradient)>);

impl Missing {
    /// Iterates over the paths and reasons, in the order of the model.
    pub fn iter(&self) -> std::slice::Iter<'_, (String, MissingGradient)> {
        self.0.iter()
    }

    /// The number of parameters without a gradient.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every parameter has a gradient.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Missing {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("every parameter has a gradient\n");
        }
        let width = self.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
        self.iter().try_for_each(|(path, reason)| writeln!(f, "{path:<width$}  {reason}"))
    }
}
