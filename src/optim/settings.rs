//! What holds for all parameters at all steps, and for one of them at one step.

use crate::optim::Group;
use crate::optim::option::check_option;
use crate::tensor::Float;

/// The settings that every optimizer has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The factor of the step.
    pub learning_rate: f64,
    /// The factor λ of the weight decay; whether that is L2 or decoupled is a matter of the rule.
    pub weight_decay: f64,
    /// Whether the step goes up instead of down.
    pub maximize: bool,
    /// Settings for some of the parameters; the first group that a parameter is in decides.
    pub groups: Vec<Group>,
}

/// What holds for one parameter at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The factor of the step, times that of the parameter's group.
    pub learning_rate: f64,
    /// The factor λ of the weight decay.
    pub weight_decay: f64,
    /// Whether the step goes up instead of down.
    pub maximize: bool,
    decoupled: bool,
}

impl Settings {
    /// A learning rate, without weight decay and groups.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings { learning_rate, weight_decay: 0.0, maximize: false, groups: Vec::new() };
        settings.check();
        settings
    }

    /// What holds for the parameter at a path; `None` if it is frozen.
    pub fn step_for(&self, path: &str) -> Option<Step> {
        let Settings { learning_rate, weight_decay, maximize, .. } = *self;
        let step = Step { learning_rate, weight_decay, maximize, decoupled: false };
        match self.groups.iter().find(|group| group.contains(path)) {
            None => Some(step),
            Some(group) => group.change(step),
        }
    }

    /// Checks the fields, which can be set to anything.
    #[track_caller]
    pub(super) fn check(&self) {
        check_option("learning_rate", self.learning_rate, 0.0, f64::INFINITY);
        check_option("weight_decay", self.weight_decay, 0.0, f64::INFINITY);
    }
}

impl Step {
    /// The same with decoupled weight decay: the parameter itself shrinks by the factor `1 − lr λ`, whatever the rule makes of the
    /// gradient. Without it the decay is L2: the gradient of the penalty, `λ p`, is added to the gradient.
    pub fn decoupled(self) -> Self {
        Step { decoupled: true, ..self }
    }

    /// The parameter and the gradient that a rule begins with, from those of an element, by weight decay and direction.
    ///
    /// [`Slot::elementwise`](super::Slot::elementwise) does it for the rules that use it; the others call what this returns.
    pub fn decay<T: Float>(&self) -> impl Fn(T, T) -> (T, T) + Copy + Send + Sync + use<T> {
        let shrinking = if self.decoupled { 1.0 - self.learning_rate * self.weight_decay } else { 1.0 };
        let penalty = if self.decoupled { 0.0 } else { self.weight_decay };
        let direction = if self.maximize { -1.0 } else { 1.0 };
        let [shrinking, penalty, direction] = [shrinking, penalty, direction].map(T::from_f64);
        move |p, g| (p * shrinking, direction * g + penalty * p)
    }
}
