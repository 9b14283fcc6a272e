//! Pooling: reduces each window of each channel to one number.

/// The builder methods that [`MaxPool`] and [`AvgPool`] share.
macro_rules! window_options {
    ($pool:ident) => {
        impl<const D: usize> $pool<D> {
            /// The step from one window to the next; by default the size of the windows.
            ///
            /// # Panics
            /// If it is 0.
            #[track_caller]
            pub fn stride(mut self, stride: impl PerAxis<D>) -> Self {
                self.window.stride = positive("stride", stride);
                self
            }

            /// The padding on each side of the input: −∞ for [`MaxPool`](crate::ops::MaxPool), 0 for [`AvgPool`](crate::ops::AvgPool).
            pub fn padding(mut self, padding: impl PerAxis<D>) -> Self {
                self.window.padding = padding.per_axis();
                self
            }

            /// Whether to round the number of windows up, so that the last one may extend beyond the padded input.
            pub fn ceil_mode(self, ceil: bool) -> Self {
                $pool { ceil, ..self }
            }
        }

        impl<const D: usize, K: PerAxis<D>> From<K> for $pool<D> {
            #[track_caller]
            fn from(kernel: K) -> Self {
                $pool::new(kernel)
            }
        }
    };
}

pub(crate) mod average;
pub(crate) mod max;

pub use average::{AdaptiveAvgPool, AvgPool};
pub use max::MaxPool;
