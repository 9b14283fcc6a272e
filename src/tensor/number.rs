//! Numbers as arguments.

/// A primitive integer or float: the scalar operand of a tensor operation, as in `x * 2`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number",
    label = "expected a tensor or a number",
    note = "a list of numbers becomes a tensor by `Tensor::from`, a nested `Vec` by `Tensor::from_vec(flat, shape)`",
    note = "a tensor of the other precision is converted by `cast()`"
)]
pub trait Number: Copy + sealed::Sealed {
    #[doc(hidden)]
    fn number(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl sealed::Sealed for $t {}
        impl Number for $t {
            #[inline]
            fn number(self) -> f64 {
                self as f64
            }
        }
    )* };
}
numbers!(f32 f64 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
