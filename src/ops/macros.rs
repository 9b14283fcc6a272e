//! Macros that declare operations and their methods.

use crate::tensor::{broadcast_shapes, same};

/// Declares methods of variables and of plain tensors by one expression that is valid for both. Their result is of the same kind, unless
/// another type is given.
macro_rules! functions {
    ($($(#[$meta:meta])* fn $name:ident($x:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)? = $value:expr;)*) => {
        functions! { @of Var $($(#[$meta])* fn $name($x $(, $argument: $type)*) $(-> $result)? = $value;)* }
        functions! { @of Tensor $($(#[$meta])* fn $name($x $(, $argument: $type)*) $(-> $result)? = $value;)* }
    };
    (@result $result:ty $(, $own:ty)?) => { $result };
    (@of $owner:ident $($(#[$meta:meta])* fn $name:ident($x:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)? = $value:expr;)*) => {
        impl<T: Float> $owner<T> { $(
            $(#[$meta])*
            #[track_caller]
            pub fn $name(&self $(, $argument: $type)*) -> functions!(@result $($result,)? Self) {
                let $x = self;
                $value
            }
        )* }
    };
}

/// Declares elementwise functions of one input: the methods, the value, and the backward rule in terms of the saved value.
macro_rules! elementwise {
    ($($(#[$meta:meta])* $method:ident: $op:ident { $($body:tt)* })*) => { $(
        elementwise_op! { $method: $op { $($body)* } }

        functions! {
            $(#[$meta])*
            fn $method(x) = $crate::ops::registry::Registered::of($op, [x]);
        }
    )* };
}

/// Declares gradients through elementwise functions: methods of the upstream gradient that multiply it by the derivative at x in one
/// pass, and their rule, the same with the derivative of that.
macro_rules! gradients {
    ($($(#[$meta:meta])* $method:ident: $op:ident {
        $x:ident => $slope:expr; |$gy:ident, $v:ident| $rule:expr
    })*) => { $(
        $(#[$meta])*
        pub(crate) struct $op;

        impl<T: Float> Op<T, 2> for $op {
            const NAME: &'static str = stringify!($method);
            const SAVE: Save = Save::Inputs;

            fn forward(&mut self, [gy, x]: [&Tensor<T>; 2]) -> Tensor<T> {
                gy.zip_equal(x, #[inline(always)] |gy: T, $x: T| gy * $slope)
            }
            fn backward(&self, saved: &Saved<T, 2>, u: &Var<T>) -> [Option<Var<T>>; 2] {
                let ([gy, x], rule) = (saved.inputs(), |$gy: &Var<T>, $v: &Var<T>| $rule);
                [saved.needs(0).then(|| u.$method(&x)), saved.needs(1).then(|| rule(&(u * gy), &x))]
            }
        }

        impl<T: Float> Var<T> {
            $(#[$meta])*
            #[track_caller]
            pub(in crate::ops) fn $method(&self, x: &Var<T>) -> Var<T> {
                $crate::ops::registry::Registered::of($op, [self, x])
            }
        }
    )* };
}

/// Declares the operation of an elementwise function.
macro_rules! elementwise_op {
    ($method:ident: $op:ident { $x:ident => $value:expr; $kept:ident: |$($v:ident),+| $rule:expr }) => {
        pub(crate) struct $op;

        impl<T: Float> Op<T, 1> for $op {
            const NAME: &'static str = stringify!($method);
            const SAVE: Save = elementwise_op!(@save $kept);

            fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
                x.map(#[inline(always)] |$x: T| $value)
            }
            fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
                elementwise_op!(@rule $kept, saved, gy, |$($v),+| $rule)
            }
        }
    };
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

/// Declares operations of two inputs that broadcast: the value of two tensors, what is saved, and the backward rule. `+ BROADCASTS` says
/// that of the rule.
macro_rules! broadcasting_op {
    ($($(#[$meta:meta])* $name:ident: $op:ident { $a:ident, $b:ident => $value:expr; $save:ident $(+ $broadcasts:ident)?: |$saved:ident, $gy:ident| $rule:expr })*) => { $(
        $(#[$meta])*
        pub(crate) struct $op;

        impl<T: Float> Op<T, 2> for $op {
            const NAME: &'static str = stringify!($name);
            const SAVE: Save = Save::$save;
            $(const $broadcasts: bool = true;)?

            fn check(&self, shapes: [&[usize]; 2]) -> Result<(), String> {
                $crate::ops::macros::broadcasts(shapes)
            }
            fn forward(&mut self, [$a, $b]: [&Tensor<T>; 2]) -> Tensor<T> {
                $value
            }
            fn backward(&self, $saved: &Saved<T, 2>, $gy: &Var<T>) -> [Option<Var<T>>; 2] {
                $rule
            }
        }
    )* };
}

/// Declares operations as [`broadcasting_op!`] does, together with their methods.
macro_rules! broadcasting {
    ($($(#[$meta:meta])* $method:ident: $op:ident { $a:ident, $b:ident => $($rest:tt)* })*) => { $(
        broadcasting_op! { $method: $op { $a, $b => $($rest)* } }

        impl<T: Float> Var<T> {
            $(#[$meta])*
            #[track_caller]
            pub fn $method(&self, $b: impl $crate::autograd::Operand<T>) -> Var<T> {
                $crate::ops::registry::Registered::of($op, [self, &*self.resolve_operand(&$b)])
            }
        }

        impl<T: Float> Tensor<T> {
            $(#[$meta])*
            #[track_caller]
            pub fn $method(&self, $b: impl Into<Tensor<T>>) -> Tensor<T> {
                $crate::ops::registry::Registered::of($op, [self, &$b.into()])
            }
        }
    )* };
}

/// Shape check of the operations of two inputs that broadcast.
pub(crate) fn broadcasts([a, b]: [&[usize]; 2]) -> Result<(), String> {
    if same(a, b) { Ok(()) } else { broadcast_shapes(a, b).map(|_| ()) }
}
