//! Elementwise functions and operators.

/// Declares elementwise functions of one input: the method, the value, and the rule in terms of what it saves.
macro_rules! elementwise {
    ($($(#[$meta:meta])* $method:ident: $op:ident { $x:ident => $value:expr; $kept:ident: |$($v:ident),+| $rule:expr })*) => { $(
        pub(crate) struct $op;

        impl<T: Float> Op<T, 1> for $op {
            const NAME: &'static str = stringify!($method);
            const SAVE: Save = elementwise!(@save $kept);

            fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
                x.map(#[inline(always)] |$x: T| $value)
            }
            fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
                elementwise!(@rule $kept, saved, gy, |$($v),+| $rule)
            }
        }

        impl<T: Float> Var<T> {
            $(#[$meta])*
            #[track_caller]
            pub fn $method(&self) -> Var<T> {
                $crate::ops::registry::Registered::of($op, [self])
            }
        }
    )* };
    (@save input) => { Save::Inputs };
    (@save output) => { Save::Output };
    (@save nothing) => { Save::Nothing };
    (@rule input, $saved:ident, $upstream:ident, |$gy:ident, $x:ident| $rule:expr) => {{
        let ($gy, $x) = ($upstream, &$saved.input(0));
        [Some($rule)]
    }};
    (@rule output, $saved:ident, $upstream:ident, |$gy:ident, $y:ident| $rule:expr) => {{
        let ($gy, $y) = ($upstream, &$saved.output());
        [Some($rule)]
    }};
    (@rule nothing, $saved:ident, $upstream:ident, |$gy:ident| $rule:expr) => {{
        let ($gy, _) = ($upstream, $saved);
        [Some($rule)]
    }};
}

pub(crate) mod activation;
pub(crate) mod arithmetic;
pub(crate) mod error_function;
pub(crate) mod exponential;
pub(crate) mod hyperbolic;
pub(crate) mod mask;
pub(crate) mod minmax;
pub(crate) mod power;
pub(crate) mod rounding;
pub(crate) mod scalar;
pub(crate) mod sign;
pub(crate) mod trigonometric;
