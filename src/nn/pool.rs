//! Pooling layers. They have no parameters: each is the options type of the corresponding method of [`Var`].

use super::layer::stateless;
use super::{Layer, Module, Path};
use crate::autograd::{Param, Var};
use crate::ops::{AdaptiveAvgPool, AvgPool, MaxPool};
use crate::tensor::Float;

/// Declares the one-dimensional and two-dimensional layers.
macro_rules! layers {
    ($($(#[$meta:meta])* $name:ident = $pool:ident<$axes:literal>, $method:ident;)*) => { $(
        $(#[$meta])*
        pub type $name = $pool<$axes>;

        impl $pool<$axes> {
            /// Applies the pooling to `x`; see the method of [`Var`].
            ///
            /// # Panics
            /// If the window is larger than the padded input, or a window lies entirely in the padding.
            #[track_caller]
            pub fn forward<T: Float>(&self, x: &Var<T>) -> Var<T> {
                x.$method(*self)
            }
        }

        stateless!([] $pool<$axes>, stringify!($name));

        impl<T: Float> Layer<T> for $pool<$axes> {
            #[track_caller]
            fn forward(&self, x: &Var<T>) -> Var<T> {
                $pool::<$axes>::forward(self, x)
            }
        }
    )* };
}

layers! {
    /// The maximum of each window along the last axis.
    MaxPool1d = MaxPool<1>, max_pool1d;
    /// The maximum of each window of an image.
    #[doc(alias("Pooling", "MaxPooling2D"))]
    MaxPool2d = MaxPool<2>, max_pool2d;
    /// The mean of each window along the last axis.
    AvgPool1d = AvgPool<1>, avg_pool1d;
    /// The mean of each window of an image.
    #[doc(alias = "AveragePooling2D")]
    AvgPool2d = AvgPool<2>, avg_pool2d;
    /// The mean of each of a given number of windows along the last axis.
    AdaptiveAvgPool1d = AdaptiveAvgPool<1>, adaptive_avg_pool1d;
    /// The mean of each of a given number of windows of an image.
    #[doc(alias = "GlobalAveragePooling2D")]
    AdaptiveAvgPool2d = AdaptiveAvgPool<2>, adaptive_avg_pool2d;
}
