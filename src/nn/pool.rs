//! Pooling layers. They have nothing to train: a layer is what the method of variables takes.

use super::layer::stateless;
use super::{Layer, Module, Path};
use crate::autograd::{Param, Var};
use crate::ops::{AdaptiveAvgPool, AvgPool, MaxPool};
use crate::tensor::Float;

/// Names the layers for one axis and for two.
macro_rules! layers {
    ($($(#[$meta:meta])* $name:ident = $pool:ident<$axes:literal>, $method:ident;)*) => { $(
        $(#[$meta])*
        pub type $name = $pool<$axes>;

        impl $pool<$axes> {
            /// Pools `x`, as the method of variables describes it.
            ///
            /// # Panics
            /// If the window is larger than the padded input, or lies in the padding alone.
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
    /// The largest element of each window along the last axis.
    MaxPool1d = MaxPool<1>, max_pool1d;
    /// The largest element of each window of an image.
    MaxPool2d = MaxPool<2>, max_pool2d;
    /// The mean of each window along the last axis.
    AvgPool1d = AvgPool<1>, avg_pool1d;
    /// The mean of each window of an image.
    AvgPool2d = AvgPool<2>, avg_pool2d;
    /// The means of the last axis cut into a given number of windows.
    AdaptiveAvgPool1d = AdaptiveAvgPool<1>, adaptive_avg_pool1d;
    /// The means of images cut into a given number of windows.
    AdaptiveAvgPool2d = AdaptiveAvgPool<2>, adaptive_avg_pool2d;
}
