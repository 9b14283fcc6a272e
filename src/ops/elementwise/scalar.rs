//! `+ - * /` with a number on one side: the operations recorded by `x + 2.0` and `1.0 - x`.

use crate::autograd::{Description, Op, Save, Saved, Var};
use crate::ops::registry::Registered;
use crate::tensor::{Float, Tensor};

macro_rules! scalar_operation {
    ($($(#[$meta:meta])* $method:ident: $op:ident { |$x:ident, $c:ident| $value:expr; $save:ident: |$saved:tt, $gy:ident, $c_again:tt| $rule:expr })*) => { $(
        $(#[$meta])*
        pub(crate) struct $op {
            c: f64,
        }

        impl<T: Float> Op<T, 1> for $op {
            const NAME: &'static str = stringify!($method);
            const SAVE: Save = Save::$save;
            const BROADCASTS: bool = true;

            fn describe(&self, description: &mut Description) {
                description.number("c", self.c);
            }

            fn forward(&mut self, [$x]: [&Tensor<T>; 1]) -> Tensor<T> {
                let $c = self.c;
                $value
            }
            fn backward(&self, saved: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
                let ($saved, $gy, $c_again) = (saved, gy, self.c);
                [Some($rule)]
            }
        }

        impl<T: Float> Var<T> {
            $(#[$meta])*
            #[track_caller]
            pub(crate) fn $method(&self, c: f64) -> Var<T> {
                $op { c }.of([self])
            }
        }
    )* };
}

scalar_operation! {
    /// `y = x + c`.
    add_scalar: AddScalar { |x, c| x + c; Nothing: |_, gy, _| gy.clone() }
    /// `y = c − x`.
    rsub_scalar: RsubScalar { |x, c| c - x; Nothing: |_, gy, _| -gy }
    /// `y = c x`.
    mul_scalar: MulScalar { |x, c| x * c; Nothing: |_, gy, c| gy * c }
    /// `y = x / c`.
    div_scalar: DivScalar { |x, c| x / c; Nothing: |_, gy, c| gy / c }
    /// `y = c / x`, `dy/dx = −y / x`.
    rdiv_scalar: RdivScalar { |x, c| c / x; InputsAndOutput: |saved, gy, _| -(gy * saved.output()) / saved.input(0) }
}
