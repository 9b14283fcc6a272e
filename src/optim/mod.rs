//! Optimizers, which update the parameters of a model in one fused pass over parameter, gradient and state.
//!
//! All optimizers follow PyTorch's conventions. Options are set by builder methods; the method `group` sets different options
//! for a [`Group`] of parameters.
//!
//! An optimizer consists of a [`Rule`], which is the arithmetic, and [`Descent`], which is everything else: [`Sgd`] is an
//! alias of `Descent<SgdRule>`. A custom rule is a type with three methods.
//!
//! The module also contains learning rate [schedules](schedule), a [learning rate finder](LearningRateFinder) and
//! [early stopping](EarlyStopping). Gradient clipping is a method of the gradients:
//! [`Gradients::clip_norm`](crate::Gradients::clip_norm).

mod adadelta;
mod adagrad;
mod adam;
mod adam_variants;
mod clip;
mod descent;
mod early_stopping;
mod finder;
mod group;
mod lion;
mod optimizer;
mod option;
mod rmsprop;
mod rule;
pub mod schedule;
mod settings;
mod sgd;
mod state;

use crate::autograd::Gradients;
use crate::nn::Module;
use crate::tensor::Float;
use std::hint::black_box;

pub use adadelta::AdaDelta;
pub use adagrad::AdaGrad;
pub use adam::{Adam, AdamW};
pub use adam_variants::{Adamax, NAdam, RAdam};
pub use descent::Descent;
pub use early_stopping::{EarlyStopping, Status, StoppingState};
pub use finder::LearningRateFinder;
pub use group::Group;
pub use lion::Lion;
pub use optimizer::Optimizer;
pub use rmsprop::RmsProp;
pub use rule::Rule;
pub use schedule::Schedule;
pub use settings::{Settings, Step};
pub use sgd::Sgd;
pub use state::{Slot, State};

/// The update rules of the optimizers with their options, which are set by methods of the optimizers.
pub mod rules {
    pub use crate::optim::adadelta::AdaDeltaRule;
    pub use crate::optim::adagrad::AdaGradRule;
    pub use crate::optim::adam::AdamRule;
    pub use crate::optim::adam_variants::{AdamaxRule, NAdamRule, RAdamRule};
    pub use crate::optim::lion::LionRule;
    pub use crate::optim::rmsprop::RmsPropRule;
    pub use crate::optim::sgd::SgdRule;
}

/// Instantiates the functions called by a step for an element type.
pub(crate) fn instantiate<T: Float>() {
    fn update<T: Float, R: Rule<T>>() {
        black_box(R::update as fn(&R, &mut Slot<T>, &mut [T], &[T], &Step));
    }
    update::<T, rules::AdaDeltaRule>();
    update::<T, rules::AdaGradRule>();
    update::<T, rules::AdamRule<false>>();
    update::<T, rules::AdamRule<true>>();
    update::<T, rules::AdamaxRule>();
    update::<T, rules::LionRule>();
    update::<T, rules::NAdamRule>();
    update::<T, rules::RAdamRule>();
    update::<T, rules::RmsPropRule>();
    update::<T, rules::SgdRule>();
    black_box(descent::step as fn(&dyn Rule<T>, &mut Settings, &mut State<T>, &mut dyn Module<T>, &Gradients<T>));
    clip::instantiate::<T>();
}
