//! Numeric options and their ranges.

use crate::panics;

/// Returns the value of an option; panics if it is not in `[low, high)`.
#[track_caller]
pub(super) fn check_option(what: &str, value: f64, low: f64, high: f64) -> f64 {
    if !(low..high).contains(&value) {
        let range =
            if high.is_finite() { format!("at least {low} and less than {high}") } else { format!("at least {low}") };
        panics::option(what, value, &range);
    }
    value
}

/// Returns the decay rates β of two running means; panics if one is not in `[0, 1)`.
#[track_caller]
pub(super) fn check_betas(beta1: f64, beta2: f64) -> (f64, f64) {
    (check_option("beta1", beta1, 0.0, 1.0), check_option("beta2", beta2, 0.0, 1.0))
}

/// Declares builder methods for numeric options: `name: low, high;` accepts a value in `[low, high)`. The options are fields of
/// a schedule, or of the rule of an optimizer.
macro_rules! setters {
    ($schedule:ident { $($options:tt)* }) => {
        setters!(@impl [] $schedule, [] $($options)*);
    };
    ($optimizer:ident<T> { $($options:tt)* }) => {
        setters!(@impl [T: crate::tensor::Float] $optimizer<T>, [rule.] $($options)*);
    };
    (@impl [$($generics:tt)*] $type:ty, $rule:tt $($(#[$meta:meta])* $option:ident: $low:expr, $high:expr;)*) => {
        impl<$($generics)*> $type {
            $(setters!(@method $rule $(#[$meta])* $option: $low, $high);)*
        }
    };
    (@method [$($rule:tt)*] $(#[$meta:meta])* $option:ident: $low:expr, $high:expr) => {
        $(#[$meta])*
        #[track_caller]
        pub fn $option(mut self, $option: f64) -> Self {
            self.$($rule)* $option = $crate::optim::option::check_option(stringify!($option), $option, $low, $high);
            self
        }
    };
}
pub(super) use setters;
