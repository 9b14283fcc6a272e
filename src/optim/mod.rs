//! Optimizers: each changes the parameters of a model by one fused pass over parameter, gradient and state.
//!
//! All of them follow PyTorch's conventions. Options are given by chained methods, other settings for some of the parameters by
//! their method `group` and [`Group`].
//!
//! An optimizer is a [`Rule`], the arithmetic, and [`Descent`], which has everything else: [`Sgd`] is an alias of
//! `Descent<SgdRule>`. Another rule is a type with three methods.
//!
//! Around them stand the [schedules](schedule) of the learning rate, a [search](LearningRateFinder) for it, and clipping, which is
//! a method of gradients: [`Gradients::clip_norm`](crate::Gradients::clip_norm).

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

/// The rules of the optimizers, each with its options. The optimizers have the methods that set them.
pub mod rules {
    pub use crate::optim::adadelta::AdaDeltaRule;
    pub use crate::optim::adagrad::AdaGradRule;
    pub use crate::optim::adam::AdamRule;
    pub use crate::optim::adam_variants::{AdamaxRule, NAdamRule, RAdamRule};
    pub use crate::optim::lion::LionRule;
    pub use crate::optim::rmsprop::RmsPropRule;
    pub use crate::optim::sgd::SgdRule;
}

/// Instantiates what a step calls for an element type.
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
