//! Depthwise convolution, in which each channel has its own kernel, one kernel element at a time on
//! [planes](crate::kernel::window::planes).

use crate::kernel::Float;
use crate::kernel::base::memory::with_scratch;
use crate::kernel::window::planes::{BLOCK, Planes, Tap, crop, gather, pad, spread};

impl Planes {
    /// `y += w * x` of one channel.
    pub(crate) fn convolve<T: Float>(&self, x: &[T], weight: &[T], y: &mut [T]) {
        with_scratch(self.input_len() + self.output_len(), |scratch| {
            let (padded, sums) = scratch.split_at_mut(self.input_len());
            pad(self, x, padded);
            sums.fill(T::ZERO);
            correlate(&self.taps, weight, padded, sums);
            gather(self, sums, y);
        });
    }

    /// The adjoint of [`convolve`](Planes::convolve) with respect to x, added to x.
    pub(crate) fn transpose<T: Float>(&self, y: &[T], weight: &[T], x: &mut [T]) {
        with_scratch(self.spread_len() + self.input_len(), |scratch| {
            let (windows, padded) = scratch.split_at_mut(self.spread_len());
            spread(self, y, windows);
            padded.fill(T::ZERO);
            for (taps, plane) in self.adjoint.iter().zip(padded.chunks_exact_mut(self.size)) {
                correlate(taps, weight, windows, plane);
            }
            crop(self, padded, x);
        });
    }

    /// The adjoint of [`convolve`](Planes::convolve) with respect to the weight, added to it, for images `[channels, height, width]`.
    pub(crate) fn weight_gradient<T: Float>(&self, x: &[T], y: &[T], weight: &mut [T]) {
        let (lanes, channels) = (weight.len() * BLOCK, weight.len() / self.taps.len());
        with_scratch(lanes + self.input_len() + self.spread_len(), |scratch| {
            let (lanes, scratch) = scratch.split_at_mut(lanes);
            let (padded, windows) = scratch.split_at_mut(self.input_len());
            let (lanes, _) = lanes.as_chunks_mut::<BLOCK>();
            lanes.fill([T::ZERO; BLOCK]);
            let units = x.chunks_exact(self.windows.input_len()).zip(y.chunks_exact(self.windows.output_len()));
            for (unit, (x, y)) in units.enumerate() {
                pad(self, x, padded);
                spread(self, y, windows);
                let lanes = &mut lanes[unit % channels * self.taps.len()..][..self.taps.len()];
                correlations(&self.taps, padded, &windows[self.margin..][..self.output_len()], lanes);
            }
            for (weight, lanes) in weight.iter_mut().zip(lanes) {
                lanes.iter().for_each(|&lane| *weight += lane);
            }
        });
    }
}

simd! {
    /// Adds to `y` the products of kernel elements and x at their offsets.
    pub(crate) fn correlate[T: Float](taps: &[Tap], weight: &[T], x: &[T], y: &mut [T]) {
        let (blocks, _) = y.as_chunks_mut::<BLOCK>();
        for (k, y) in blocks.iter_mut().enumerate() {
            let mut sums = *y;
            for tap in taps {
                let (w, x) = (weight[tap.element], &x[k * BLOCK + tap.offset..][..BLOCK]);
                for lane in 0..BLOCK {
                    sums[lane] += w * x[lane];
                }
            }
            *y = sums;
        }
    }
}

simd! {
    /// Adds to each kernel element, in as many parts as a block has elements, the products of y and x at its offset.
    pub(crate) fn correlations[T: Float](taps: &[Tap], x: &[T], y: &[T], lanes: &mut [[T; BLOCK]]) {
        let (blocks, _) = y.as_chunks::<BLOCK>();
        for tap in taps {
            let mut sums = lanes[tap.element];
            for (k, y) in blocks.iter().enumerate() {
                let x = &x[k * BLOCK + tap.offset..][..BLOCK];
                for lane in 0..BLOCK {
                    sums[lane] += y[lane] * x[lane];
                }
            }
            lanes[tap.element] = sums;
        }
    }
}
