//! The settings of an optimizer, and those of one parameter in one step.

use crate::optim::Group;
use crate::panics::check_option;
use crate::tensor::Float;

/// The settings common to all optimizers.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Settings {
    /// The learning rate.
    pub learning_rate: f64,
    /// The weight decay λ; the rule determines whether it is L2 or decoupled.
    pub weight_decay: f64,
    /// Whether the objective is maximized instead of minimized.
    pub maximize: bool,
    /// Groups of parameters with different settings; the first group that matches a parameter applies.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub groups: Vec<Group>,
}

/// The settings of one parameter in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step<'a> {
    /// The learning rate, including the factor of the parameter's group.
    pub learning_rate: f64,
    /// The weight decay λ.
    pub weight_decay: f64,
    /// Whether the objective is maximized instead of minimized.
    pub maximize: bool,
    decoupled: bool,
    rows: Option<&'a [usize]>,
}

impl Settings {
    /// Creates settings with the given learning rate, and without weight decay or groups.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        let settings = Settings { learning_rate, weight_decay: 0.0, maximize: false, groups: Vec::new() };
        settings.check();
        settings
    }

    /// The settings of the parameter at a path; `None` if it is frozen.
    pub fn step_for(&self, path: &str) -> Option<Step<'static>> {
        let Settings { learning_rate, weight_decay, maximize, .. } = *self;
        let step = Step { learning_rate, weight_decay, maximize, decoupled: false, rows: None };
        match self.groups.iter().find(|group| group.contains(path)) {
            None => Some(step),
            Some(group) => group.change(step),
        }
    }

    /// Checks the values of the public fields.
    #[track_caller]
    pub(super) fn check(&self) {
        check_option("learning_rate", self.learning_rate, 0.0..);
        check_option("weight_decay", self.weight_decay, 0.0..);
    }
}

impl<'a> Step<'a> {
    /// The step restricted to these rows.
    pub(super) fn of_rows(self, rows: &[usize]) -> Step<'_> {
        Step { rows: Some(rows), ..self }
    }

    /// The indices of the rows to update, ascending, which are those of the gradient; `None`: the whole parameter. See
    /// [`Rule::sparse`](super::Rule::sparse).
    pub fn rows(&self) -> Option<&'a [usize]> {
        self.rows
    }

    /// Decouples the weight decay: the parameter is multiplied by `1 − lr λ`, independently of the gradient. Otherwise the
    /// decay is L2: the gradient of the penalty, `λ p`, is added to the gradient.
    pub fn decoupled(self) -> Self {
        Step { decoupled: true, ..self }
    }

    /// A function that applies weight decay and the sign of the objective to an element of the parameter and its gradient.
    ///
    /// [`Slot::elementwise`](super::Slot::elementwise) calls it for each element; other rules have to call it themselves.
    pub fn decay<T: Float>(&self) -> impl Fn(T, T) -> (T, T) + Copy + Send + Sync + use<T> {
        let shrinking = if self.decoupled { 1.0 - self.learning_rate * self.weight_decay } else { 1.0 };
        let penalty = if self.decoupled { 0.0 } else { self.weight_decay };
        let direction = if self.maximize { -1.0 } else { 1.0 };
        let [shrinking, penalty, direction] = [shrinking, penalty, direction].map(T::from_f64);
        move |p, g| (p * shrinking, direction * g + penalty * p)
    }
}
