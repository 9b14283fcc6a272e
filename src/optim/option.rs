//! Numeric options and their ranges.

use crate::panics::check_option;

/// Returns the decay rates β of two running means; panics if one is not in `[0, 1)`.
#[track_caller]
pub(super) fn check_betas(beta1: f64, beta2: f64) -> (f64, f64) {
    (check_option("beta1", beta1, 0.0..1.0), check_option("beta2", beta2, 0.0..1.0))
}

/// Declares builder methods for numeric options: `name: range;` accepts a finite value in the range. The options are fields of
/// a schedule, or of the rule of an optimizer.
macro_rules! setters {
    ($schedule:ident { $($options:tt)* }) => {
        setters!(@impl [] $schedule, [] $($options)*);
    };
    ($optimizer:ident<T> { $($options:tt)* }) => {
        setters!(@impl [T: crate::tensor::Float] $optimizer<T>, [rule.] $($options)*);
    };
    (@impl [$($generics:tt)*] $type:ty, $rule:tt $($(#[$meta:meta])* $option:ident: $range:expr;)*) => {
        impl<$($generics)*> $type {
            $(setters!(@method $rule $(#[$meta])* $option: $range);)*
        }
    };
    (@method [$($rule:tt)*] $(#[$meta:meta])* $option:ident: $range:expr) => {
        $(#[$meta])*
        #[track_caller]
        pub fn $option(mut self, $option: f64) -> Self {
            self.$($rule)* $option = $crate::panics::check_option(stringify!($option), $option, $range);
            self
        }
    };
}
pub(super) use setters;
