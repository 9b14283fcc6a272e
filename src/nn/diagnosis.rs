//! The paths of a model in the messages of its tape and its gradients.

use super::{Module, Path};
use crate::autograd::{Gradients, MissingGradient, ParamName, Tape};
use crate::panics;
use crate::tensor::Float;
use std::fmt::{self, Display, Formatter};

impl<T: Float> Tape<T> {
    /// Tells this tape the paths of a model's parameters, for listings, drawings and messages: `layers.0.weight` instead of
    /// `parameter`. Before or after the forward pass.
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
    /// The trainable parameters of a model that got no gradient, and why; it prints as a table.
    ///
    /// A parameter without a gradient is left as it is by an optimizer. Where that is a mistake, this finds it.
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

    /// Panics if these gradients come from a batch normalization of the model with running averages that no batch has
    /// updated, which a training loop on tapes that are not for training never does.
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

/// The parameters without a gradient, by their paths, and why; [`Gradients::missing`] finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<(String, MissingGradient)>);

impl Missing {
    /// The paths and reasons, in the order of the model.
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
