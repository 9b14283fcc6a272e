//! Settings for some of the parameters.

use crate::optim::Step;
use crate::optim::option::check_option;
use std::fmt::{self, Debug, Formatter};
use std::panic::Location;
use std::sync::Arc;

/// Settings for the parameters whose paths it matches.
///
/// A group that matches no trainable parameter of the model is a mistake, which the step reports.
///
/// ```
/// use wengert::optim::Group;
/// use wengert::prelude::*;
///
/// // No decay on biases, and the first layer stays as it is.
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
    /// How it was made.
    origin: String,
    learning_rate_factor: f64,
    weight_decay: Option<f64>,
    frozen: bool,
    /// Whether some parameter has been in it.
    met: bool,
}

impl Group {
    /// The parameters whose path the function accepts.
    ///
    /// ```
    /// # use wengert::optim::Group;
    /// let first_layers = Group::matching(|path| path.starts_with("layers.0.") || path.starts_with("layers.1."));
    /// # _ = first_layers;
    /// ```
    #[track_caller]
    pub fn matching(matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Group::new(matches, format!("the Group::matching of {}", Location::caller()))
    }

    /// The parameters whose path begins with these components, such as those of a layer: `"hidden"` matches `hidden.weight` and
    /// `hidden.0.bias`, but not `hidden2.weight`.
    pub fn with_prefix(prefix: &str) -> Self {
        let (prefix, origin) = (prefix.to_string(), format!("Group::with_prefix({prefix:?})"));
        Group::new(
            move |path| path.strip_prefix(&*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            origin,
        )
    }

    /// The parameters whose path ends with these components: `"bias"` matches `hidden.bias`, but not `user_bias`.
    pub fn with_suffix(suffix: &str) -> Self {
        let (suffix, origin) = (suffix.to_string(), format!("Group::with_suffix({suffix:?})"));
        Group::new(
            move |path| path.strip_suffix(&*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            origin,
        )
    }

    fn new(matches: impl Fn(&str) -> bool + Send + Sync + 'static, origin: String) -> Self {
        let matches = Arc::new(matches);
        Group { matches, origin, learning_rate_factor: 1.0, weight_decay: None, frozen: false, met: false }
    }

    /// Multiplies the learning rate, whatever a schedule makes of it.
    ///
    /// # Panics
    /// If the factor is negative or NaN.
    #[track_caller]
    pub fn learning_rate_factor(self, factor: f64) -> Self {
        Group { learning_rate_factor: check_option("learning_rate_factor", factor, 0.0, f64::INFINITY), ..self }
    }

    /// Replaces the weight decay.
    ///
    /// # Panics
    /// If it is negative or NaN.
    #[track_caller]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Group { weight_decay: Some(check_option("weight_decay", weight_decay, 0.0, f64::INFINITY)), ..self }
    }

    /// Leaves the parameters as they are.
    pub fn frozen(self) -> Self {
        Group { frozen: true, ..self }
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        (self.matches)(path)
    }

    /// A step with the settings of the group; `None` if it is frozen.
    pub(super) fn change(&self, step: Step) -> Option<Step> {
        let mut changed = step;
        changed.learning_rate *= self.learning_rate_factor;
        changed.weight_decay = self.weight_decay.unwrap_or(step.weight_decay);
        (!self.frozen).then_some(changed)
    }

    /// Notes that a model has a parameter at a path.
    pub(super) fn meet(&mut self, path: &str) {
        self.met = self.met || self.contains(path);
    }

    /// How the group was made, if no parameter has been in it.
    pub(super) fn unmet(&self) -> Option<&str> {
        (!self.met).then_some(&self.origin)
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
