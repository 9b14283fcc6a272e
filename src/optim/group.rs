//! What holds for all parameters, and for groups of them.

use super::check_option;
use crate::tensor::Float;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

/// The settings that every optimizer has.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The factor of the step.
    pub learning_rate: f64,
    /// The factor λ of the weight decay; whether that is L2 or decoupled the optimizer says.
    pub weight_decay: f64,
    /// Whether the step goes up instead of down.
    pub maximize: bool,
    /// Settings for some of the parameters; the first that matches decides.
    pub groups: Vec<Group>,
}

/// Settings for the parameters whose paths it matches.
///
/// ```
/// use wengert::optim::Group;
/// use wengert::prelude::*;
///
/// // No decay on biases, and the first layer stays as it is.
/// let optimizer: Adam = Adam::new(1e-3)
///     .weight_decay(1e-2)
///     .group(Group::beginning("hidden").frozen())
///     .group(Group::ending("bias").weight_decay(0.0));
/// assert_eq!(optimizer.settings().step_for("output.bias").unwrap().weight_decay, 0.0);
/// assert!(optimizer.settings().step_for("hidden.weight").is_none());
/// ```
#[derive(Clone)]
pub struct Group {
    matches: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    learning_rate_factor: f64,
    weight_decay: Option<f64>,
    frozen: bool,
}

/// What holds for one parameter at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The factor of the step, with the group's factor.
    pub learning_rate: f64,
    /// The factor of the weight decay.
    pub weight_decay: f64,
    /// Whether the step goes up instead of down.
    pub maximize: bool,
}

impl Settings {
    /// A learning rate, without weight decay and groups.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let learning_rate = check_option("learning_rate", learning_rate, 0.0, f64::INFINITY);
        Settings { learning_rate, weight_decay: 0.0, maximize: false, groups: Vec::new() }
    }

    /// What holds for the parameter at a path; `None` if it is frozen.
    pub fn step_for(&self, path: &str) -> Option<Step> {
        let Settings { learning_rate, weight_decay, maximize, .. } = *self;
        match self.groups.iter().find(|group| (group.matches)(path)) {
            None => Some(Step { learning_rate, weight_decay, maximize }),
            Some(group) if group.frozen => None,
            Some(group) => Some(Step {
                learning_rate: learning_rate * group.learning_rate_factor,
                weight_decay: group.weight_decay.unwrap_or(weight_decay),
                maximize,
            }),
        }
    }
}

impl Group {
    /// The parameters whose path `matches` says yes to.
    pub fn new(matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Group { matches: Arc::new(matches), learning_rate_factor: 1.0, weight_decay: None, frozen: false }
    }

    /// The parameters whose path begins like this, such as those of a layer.
    pub fn beginning(prefix: &str) -> Self {
        let prefix = prefix.to_string();
        Group::new(move |path| path.starts_with(&prefix))
    }

    /// The parameters whose path ends like this, such as `bias`.
    pub fn ending(suffix: &str) -> Self {
        let suffix = suffix.to_string();
        Group::new(move |path| path.ends_with(&suffix))
    }

    /// Multiplies the learning rate, whatever a schedule makes of it.
    #[track_caller]
    pub fn learning_rate_factor(self, factor: f64) -> Self {
        Group { learning_rate_factor: check_option("learning_rate_factor", factor, 0.0, f64::INFINITY), ..self }
    }

    /// Another weight decay.
    #[track_caller]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Group { weight_decay: Some(check_option("weight_decay", weight_decay, 0.0, f64::INFINITY)), ..self }
    }

    /// Not changed at all.
    pub fn frozen(self) -> Self {
        Group { frozen: true, ..self }
    }
}

impl Debug for Group {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Group")
            .field("learning_rate_factor", &self.learning_rate_factor)
            .field("weight_decay", &self.weight_decay)
            .field("frozen", &self.frozen)
            .finish_non_exhaustive()
    }
}

/// How the weight decay enters a rule, and the direction.
#[derive(Clone, Copy)]
pub(super) struct Decay<T> {
    sign: T,
    penalty: T,
    shrink: T,
}

impl Step {
    /// L2: the gradient of the penalty `λ/2 p²` joins the gradient.
    pub(super) fn l2<T: Float>(&self) -> Decay<T> {
        Decay { sign: self.sign(), penalty: T::from_f64(self.weight_decay), shrink: T::ONE }
    }

    /// Decoupled: the parameter itself shrinks by the factor 1 − lr λ, whatever the rule does with the gradient.
    pub(super) fn decoupled<T: Float>(&self) -> Decay<T> {
        let shrink = T::from_f64(1.0 - self.learning_rate * self.weight_decay);
        Decay { sign: self.sign(), penalty: T::ZERO, shrink }
    }

    fn sign<T: Float>(&self) -> T {
        if self.maximize { -T::ONE } else { T::ONE }
    }
}

impl<T: Float> Decay<T> {
    /// The parameter and the gradient that the rule begins with.
    #[inline(always)]
    pub(super) fn apply(&self, p: T, g: T) -> (T, T) {
        (p * self.shrink, self.sign * g + self.penalty * p)
    }
}
