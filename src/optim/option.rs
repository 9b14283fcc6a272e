//! Options that are numbers in a range.

use crate::panics;

/// Checks that an option lies in `[low, high)`.
#[track_caller]
pub(super) fn check_option(what: &str, value: f64, low: f64, high: f64) -> f64 {
    if !(low..high).contains(&value) {
        let range =
            if high.is_finite() { format!("at least {low} and less than {high}") } else { format!("at least {low}") };
        panics::option(what, value, &range);
    }
    value
}

/// Checks the decay rates β of two means.
#[track_caller]
pub(super) fn check_betas(beta1: f64, beta2: f64) -> (f64, f64) {
    (check_option("beta1", beta1, 0.0, 1.0), check_option("beta2", beta2, 0.0, 1.0))
}

/// Builder methods for options that are numbers: `name: low, high;` takes a value in `[low, high)`. The options are fields of a
/// schedule, or of the rule of an optimizer.
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
