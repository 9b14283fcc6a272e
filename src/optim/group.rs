//! Parameter groups: settings for a subset of the parameters.

use crate::autograd::Param;
use crate::nn::Module;
use crate::optim::Step;
use crate::panics::check_option;
use crate::tensor::Float;
use std::collections::HashSet;
use std::fmt::{self, Debug, Formatter};
use std::panic::Location;
use std::sync::Arc;

/// A parameter group: settings for the parameters whose paths match.
///
/// A group that matches no trainable parameter of the model is a mistake, and makes the step panic.
///
/// ```
/// use wengert::optim::Group;
/// use wengert::prelude::*;
///
/// // No weight decay on biases, and a frozen first layer.
/// let optimizer: Adam = Adam::new(1e-3)
///     .weight_decay(1e-2)
///     .group(Group::with_prefix("hidden").frozen())
///     .group(Group::with_suffix("bias").weight_decay(0.0));
/// assert_eq!(optimizer.settings().step_for("output.bias").unwrap().weight_decay, 0.0);
/// assert!(optimizer.settings().step_for("hidden.weight").is_none());
/// ```
#[derive(Clone)]
#[must_use]
pub struct Group {
    matches: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// The constructor call, for error messages.
    origin: String,
    learning_rate_factor: f64,
    weight_decay: Option<f64>,
    frozen: bool,
    /// Whether any parameter has matched.
    matched: bool,
}

impl Group {
    /// Creates a group of the parameters whose path satisfies the predicate.
    ///
    /// ```
    /// # use wengert::optim::Group;
    /// let first_layers = Group::matching(|path| path.starts_with("layers.0.") || path.starts_with("layers.1."));
    /// # _ = first_layers;
    /// ```
    #[doc(alias("param_groups", "add_param_group"))]
    #[track_caller]
    pub fn matching(matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Group::new(matches, format!("the Group::matching of {}", Location::caller()))
    }

    /// Creates a group of the parameters of a model that satisfy a predicate on the path and the parameter.
    ///
    /// ```
    /// # use wengert::optim::Group;
    /// # use wengert::prelude::*;
    /// // Weight decay for matrices, and none for biases and normalizations.
    /// let model: (Linear, LayerNorm) = (Linear::new(4, 2, Init::He, &mut wengert::rng(0)), LayerNorm::new([2]));
    /// let optimizer: AdamW = AdamW::new(1e-3).group(Group::of(&model, |_, param| param.shape().len() < 2).weight_decay(0.0));
    /// assert_eq!(optimizer.settings().step_for("0.bias").unwrap().weight_decay, 0.0);
    /// assert_ne!(optimizer.settings().step_for("0.weight").unwrap().weight_decay, 0.0);
    /// ```
    #[track_caller]
    pub fn of<T: Float, M: Module<T> + ?Sized>(model: &M, matches: impl Fn(&str, &Param<T>) -> bool) -> Self {
        let parameters = model.parameters().into_iter().filter(|(path, param)| matches(path, param));
        let paths: HashSet<String> = parameters.map(|(path, _)| path).collect();
        Group::new(move |path| paths.contains(path), format!("the Group::of of {}", Location::caller()))
    }

    /// Creates a group of the parameters whose path begins with the given components, such as those of a layer: `"hidden"`
    /// matches `hidden.weight` and `hidden.0.bias`, but not `hidden2.weight`.
    pub fn with_prefix(prefix: &str) -> Self {
        let (prefix, origin) = (prefix.to_string(), format!("Group::with_prefix({prefix:?})"));
        Group::new(
            move |path| path.strip_prefix(&*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            origin,
        )
    }

    /// Creates a group of the parameters whose path ends with the given components: `"bias"` matches `hidden.bias`, but not
    /// `user_bias`.
    pub fn with_suffix(suffix: &str) -> Self {
        let (suffix, origin) = (suffix.to_string(), format!("Group::with_suffix({suffix:?})"));
        Group::new(
            move |path| path.strip_suffix(&*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            origin,
        )
    }

    fn new(matches: impl Fn(&str) -> bool + Send + Sync + 'static, origin: String) -> Self {
        let matches = Arc::new(matches);
        Group { matches, origin, learning_rate_factor: 1.0, weight_decay: None, frozen: false, matched: false }
    }

    /// Sets a factor for the learning rate, which also multiplies the values of a schedule.
    ///
    /// # Panics
    /// If the factor is negative or NaN.
    #[track_caller]
    pub fn learning_rate_factor(self, factor: f64) -> Self {
        Group { learning_rate_factor: check_option("learning_rate_factor", factor, 0.0..), ..self }
    }

    /// Overrides the weight decay.
    ///
    /// # Panics
    /// If the weight decay is negative or NaN.
    #[track_caller]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Group { weight_decay: Some(check_option("weight_decay", weight_decay, 0.0..)), ..self }
    }

    /// Excludes the parameters from updates.
    pub fn frozen(self) -> Self {
        Group { frozen: true, ..self }
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        (self.matches)(path)
    }

    /// The step with the settings of the group applied; `None` if it is frozen.
    pub(super) fn change<'a>(&self, step: Step<'a>) -> Option<Step<'a>> {
        let mut changed = step;
        changed.learning_rate *= self.learning_rate_factor;
        changed.weight_decay = self.weight_decay.unwrap_or(step.weight_decay);
        (!self.frozen).then_some(changed)
    }

    /// Records whether the path of a parameter of the model matches.
    pub(super) fn record_match(&mut self, path: &str) {
        self.matched = self.matched || self.contains(path);
    }

    /// The constructor call of the group, if no parameter has matched.
    pub(super) fn unmatched(&self) -> Option<&str> {
        (!self.matched).then_some(&self.origin)
    }
}

impl Debug for Group {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Group")
            .field("origin", &self.origin)
            .field("learning_rate_factor", &self.learning_rate_factor)
            .field("weight_decay", &self.weight_decay)
            .field("frozen", &self.frozen)
            .finish_non_exhaustive()
    }
}
