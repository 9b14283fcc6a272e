//! The driver shared by all update rules.

use crate::autograd::gradient::Gradient;
use crate::autograd::{Gradients, MissingGradient, Param};
use crate::nn::{Module, Path};
use crate::optim::{Group, Optimizer, Rule, Settings, Slot, State, Step};
use crate::panics::{self, check_option};
use crate::tensor::{Float, Tensor, same};

/// An optimizer that updates parameters by a [`Rule`]: [`Sgd`](super::Sgd) is `Descent<SgdRule>`.
///
/// It holds what all optimizers share: the learning rate, weight decay, [groups](Group) and the [state](State).
#[derive(Clone, Debug)]
#[must_use]
pub struct Descent<R, T: Float = f32> {
    /// The update rule with its options.
    pub rule: R,
    settings: Settings,
    pub(super) state: State<T>,
}

impl<R, T: Float> Descent<R, T> {
    /// Creates an optimizer with the given rule; see [`Rule`] for an example.
    ///
    /// # Panics
    /// If the learning rate is negative or NaN.
    #[track_caller]
    pub fn with_rule(rule: R, learning_rate: f64) -> Self {
        Descent { rule, settings: Settings::new(learning_rate), state: State::new() }
    }

    /// Sets the weight decay λ; the rule determines whether it is L2 or decoupled.
    ///
    /// # Panics
    /// If the weight decay is negative or NaN.
    #[doc(alias = "l2_regularization")]
    #[track_caller]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.settings.weight_decay = check_option("weight_decay", weight_decay, 0.0..);
        self
    }

    /// Adds a group of parameters with different settings; the first group that matches a parameter applies.
    ///
    /// `optimizer.group(Group::with_suffix("bias").weight_decay(0.0))` exempts all biases from weight decay.
    pub fn group(mut self, group: Group) -> Self {
        self.settings.groups.push(group);
        self
    }

    /// Maximizes the objective instead of minimizing it.
    pub fn maximize(mut self) -> Self {
        self.settings.maximize = true;
        self
    }
}

impl<R: Rule<T>, T: Float> Optimizer<T> for Descent<R, T> {
    fn name(&self) -> &'static str {
        self.rule.name()
    }
    fn tensors_per_parameter(&self) -> Option<usize> {
        Some(self.rule.tensors())
    }
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }
    fn state(&self) -> &State<T> {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State<T> {
        &mut self.state
    }
    fn step(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>) {
        step(&self.rule, &mut self.settings, &mut self.state, model, gradients);
    }
}

/// The update of one parameter or buffer in a step.
enum Change<'a, T: Float> {
    /// `slot` is an index into the state.
    Update {
        param: &'a mut Param<T>,
        gradient: &'a Gradient<T>,
        slot: usize,
        step: Step<'static>,
    },
    Buffer {
        buffer: &'a mut Param<T>,
        value: Tensor<T>,
    },
}

/// All updates of a step.
struct Plan<'a, T: Float> {
    changes: Vec<Change<'a, T>>,
    /// Slots of parameters that are updated for the first time; their indices continue those of the state.
    new_slots: Vec<(String, Slot<T>)>,
    /// Whether the model has trainable parameters, but the gradients contain no parameter or buffer of the model.
    idle: bool,
}

/// Performs a step of a rule. All checks come before the first change.
#[inline(never)]
#[track_caller]
pub(super) fn step<T: Float>(
    rule: &dyn Rule<T>,
    settings: &mut Settings,
    state: &mut State<T>,
    model: &mut dyn Module<T>,
    gradients: &Gradients<T>,
) {
    settings.check();
    gradients.check_statistics(model);
    let plan = Plan::new(rule, settings, state, model, gradients);
    if let Some(group) = settings.groups.iter().find_map(Group::unmatched) {
        drop(plan);
        panics::unmatched_group(group, &paths(model));
    }
    if plan.idle && !gradients.is_empty() {
        drop(plan);
        return check_known(model, gradients);
    }
    plan.check(rule, state, gradients);
    plan.apply(rule, state);
}

impl<'a, T: Float> Plan<'a, T> {
    fn new(
        rule: &dyn Rule<T>,
        settings: &mut Settings,
        state: &State<T>,
        model: &'a mut dyn Module<T>,
        gradients: &'a Gradients<T>,
    ) -> Self {
        let (mut changes, mut new_slots) = (Vec::new(), Vec::new());
        let (mut any_active, mut any_found) = (false, false);
        let (mut next_gradient, mut next_slot) = (0, 0);
        model.visit_mut(&mut Path::new(), &mut |path, param| {
            if let Some(value) = gradients.updated_buffer(param) {
                any_found = true;
                return changes.push(Change::Buffer { buffer: param, value });
            }
            if !param.is_trainable() {
                return;
            }
            let path = path.as_str();
            settings.groups.iter_mut().for_each(|group| group.record_match(path));
            let (gradient, step) = (gradients.get_near(param, &mut next_gradient), settings.step_for(path));
            any_found |= gradient.is_some();
            any_active |= step.is_some();
            let (Some(gradient), Some(step)) = (gradient, step) else { return };
            let slot = state.position(path, &mut next_slot).unwrap_or_else(|| {
                new_slots.push((path.to_string(), Slot::new(rule.tensors(), param.shape())));
                state.len() + new_slots.len() - 1
            });
            changes.push(Change::Update { param, gradient, slot, step });
        });
        Plan { changes, new_slots, idle: any_active && !any_found }
    }

    /// Checks that the gradients and the state match their parameters.
    #[track_caller]
    fn check(&self, rule: &dyn Rule<T>, state: &State<T>, gradients: &Gradients<T>) {
        for change in &self.changes {
            let Change::Update { param, gradient, slot: at, .. } = change else { continue };
            let (path, slot) = match at.checked_sub(state.len()) {
                None => state.at(*at),
                Some(new) => (self.new_slots[new].0.as_str(), &self.new_slots[new].1),
            };
            if let Some(tensor) = slot.tensors.iter().find(|tensor| tensor.shape() != param.shape()) {
                panics::state_shape(path, tensor.shape(), param.shape());
            }
            if slot.tensors.len() != rule.tensors() {
                panics::state_tensors(path, slot.tensors.len(), rule.name(), rule.tensors());
            }
            let in_use = *at < state.len() && state.is_in_use(*at, param, gradients);
            if in_use && !slot.tensors.is_empty() {
                panics::state_of_another_model(path, param.shape());
            }
            if !same(gradient.shape(), param.shape()) {
                panics::gradient_of_parameter(path, gradient.shape(), param.shape());
            }
        }
    }

    fn apply(self, rule: &dyn Rule<T>, state: &mut State<T>) {
        for (path, slot) in self.new_slots {
            state.push(path, slot);
        }
        for change in self.changes {
            match change {
                Change::Buffer { buffer, value } => *buffer.value_mut() = value,
                Change::Update { param, gradient, slot, step } => {
                    let slot = state.take_over(slot, param);
                    let rows = gradient.rows().filter(|_| rule.sparse(slot, &step));
                    slot.steps = slot.steps.saturating_add(1).min(Slot::<T>::MAX_STEPS);
                    let parameter = param.value_mut().as_mut_slice();
                    match rows {
                        Some(rows) => {
                            rule.update(slot, parameter, rows.values().as_slice(), &step.of_rows(rows.indices()));
                        }
                        None => rule.update(slot, parameter, gradient.dense().as_slice(), &step),
                    }
                }
            }
        }
    }
}

/// Checks that the forward pass has read the model, given that none of its parameters has a gradient.
#[cold]
#[track_caller]
fn check_known<T: Float>(model: &dyn Module<T>, gradients: &Gradients<T>) {
    let read =
        |param: &Param<T>| param.is_trainable() && gradients.why_missing(param) != Some(MissingGradient::NeverRead);
    if !model.parameters().into_iter().any(|(_, param)| read(param)) {
        panics::gradients_of_another_model(gradients.len(), &paths(model));
    }
}

/// The paths of a model's trainable parameters for an error message: the first six, and the total number.
#[cold]
fn paths<T: Float>(model: &dyn Module<T>) -> String {
    let mut paths: Vec<String> = Vec::new();
    model.visit(&mut Path::new(), &mut |path, param| {
        paths.extend(param.is_trainable().then(|| format!("{:?}", path.as_str())));
    });
    match paths.len() {
        0 => "none".into(),
        1..=6 => paths.join(", "),
        count => format!("{}, … ({count} in all)", paths[..6].join(", ")),
    }
}
