//! Rotary positions.

use crate::autograd::{Description, Op, Save, Saved, Setting, Var};
use crate::ops::registry::Registered;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// The angles of rotary positions, Su et al. 2021: at position t the k-th pair of a vector of size D is rotated by `t base^(−2k/D)`.
///
/// A product of a query and a key then depends on the distance between their positions only. [`Var::rotary`] rotates. A pair is an element
/// of the first half and the one of the second half, as in GPT-NeoX and in Hugging Face's LLaMA, or two
/// [neighbors](Rotary::interleaved), as in the paper.
///
/// ```
/// use wengert::nn::Rotary;
/// use wengert::prelude::*;
///
/// let rotary = Rotary::new(2, 100, 10_000.0); // vectors of size 2, 100 positions
/// let x = Tape::new().constant([[1.0, 0.0], [1.0, 0.0]]);
/// let y = x.rotary(&rotary, 0);
/// assert_eq!(format!("{:.2}", y.value()), "[[1.   0.  ]\n [0.54 0.84]]");
/// ```
#[derive(Clone, Debug)]
pub struct Rotary<T: Float = f32> {
    /// `[positions, D / 2]`.
    cosines: Tensor<T>,
    sines: Tensor<T>,
    interleaved: bool,
}

impl<T: Float> Rotary<T> {
    /// Angles for vectors of the given even size at the first positions; the base is 10 000 in the paper.
    ///
    /// # Panics
    /// If the size is odd or 0.
    #[doc(alias = "RoPE")]
    #[track_caller]
    pub fn new(size: usize, positions: usize, base: f64) -> Self {
        if size == 0 || size % 2 == 1 {
            panics::rotary_size(size);
        }
        let angle = |at: usize| {
            let (position, pair) = (at / (size / 2), at % (size / 2));
            position as f64 * base.powf(-2.0 * pair as f64 / size as f64)
        };
        let shape = [positions, size / 2];
        let cosines = Tensor::of_positions("Rotary", &shape, |at| angle(at).cos());
        Rotary { cosines, sines: Tensor::of_positions("Rotary", &shape, |at| angle(at).sin()), interleaved: false }
    }

    /// Makes neighbors the pairs: the elements 2k and 2k + 1.
    pub fn interleaved(self) -> Self {
        Rotary { interleaved: true, ..self }
    }

    /// The number of positions, and the size of the vectors.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.cosines.shape()[0], 2 * self.cosines.shape()[1])
    }
}

/// Rotates the first vectors of each position; the inverse rotation is the adjoint.
#[derive(Clone)]
pub(crate) struct RotaryOp<T: Float> {
    rotary: Rotary<T>,
    /// The position of the first row.
    first: usize,
    /// How many vectors of a position are rotated; the others are copied.
    vectors: usize,
    inverse: bool,
}

impl<T: Float> Op<T, 1> for RotaryOp<T> {
    const NAME: &'static str = "rotary";
    const SAVE: Save = Save::Nothing;

    fn describe(&self, description: &mut Description) {
        description.integer("first", self.first).integer("vectors", self.vectors).flag("inverse", self.inverse);
        description.data("interleaved", Setting::Integers(vec![self.rotary.interleaved.into()]));
        description.data("cosines", Setting::Tensor(self.rotary.cosines.cast()));
        description.data("sines", Setting::Tensor(self.rotary.sines.cast()));
    }

    fn forward(&mut self, [x]: [&Tensor<T>; 1]) -> Tensor<T> {
        let (_, size) = self.rotary.sizes();
        let [.., positions, width] = *x.shape() else { unreachable!("the method checks the axes") };
        let tables = [&self.rotary.cosines, &self.rotary.sines].map(Tensor::as_slice);
        Tensor::build(x.dims(), |y| {
            let rows = y.chunks_exact_mut(width.max(1)).zip(x.as_slice().chunks_exact(width.max(1)));
            for (row, (y, x)) in rows.enumerate() {
                let at = (self.first + row % positions) * (size / 2);
                let [cosines, sines] = tables.map(|table| &table[at..at + size / 2]);
                let (rotated, rest) = y.split_at_mut(self.vectors * size);
                for (y, x) in rotated.chunks_exact_mut(size).zip(x.chunks_exact(size)) {
                    self.rotate(x, cosines, sines, y);
                }
                rest.copy_from_slice(&x[rotated.len()..]);
            }
        })
    }
    fn backward(&self, _: &Saved<T, 1>, gy: &Var<T>) -> [Option<Var<T>>; 1] {
        [Some(RotaryOp { inverse: !self.inverse, ..self.clone() }.of([gy]))]
    }
}

impl<T: Float> RotaryOp<T> {
    /// Rotates one vector.
    fn rotate(&self, x: &[T], cosines: &[T], sines: &[T], y: &mut [T]) {
        let half = cosines.len();
        for (k, (&cosine, &sine)) in cosines.iter().zip(sines).enumerate() {
            let (a, b) = if self.rotary.interleaved { (2 * k, 2 * k + 1) } else { (k, k + half) };
            let sine = if self.inverse { -sine } else { sine };
            y[a] = x[a] * cosine - x[b] * sine;
            y[b] = x[b] * cosine + x[a] * sine;
        }
    }
}

impl<T: Float> Var<T> {
    /// Rotary positions: rotates the vectors of `[…, T, D]`, or the H vectors of each position of `[…, T, H D]`, by the angles of the
    /// positions from `first` on.
    ///
    /// # Panics
    /// If the last axis is not a multiple of the size of the vectors, or there are more positions than angles.
    #[track_caller]
    pub fn rotary(&self, rotary: &Rotary<T>, first: usize) -> Var<T> {
        let width = self.shape().last().copied().unwrap_or_default();
        self.rotate_vectors(rotary, first, width / rotary.sizes().1)
    }

    /// [`rotary`](Var::rotary) of some vectors of each position.
    #[track_caller]
    pub(crate) fn rotate_vectors(&self, rotary: &Rotary<T>, first: usize, vectors: usize) -> Var<T> {
        let (positions, size) = rotary.sizes();
        match *self.shape() {
            [.., rows, width] if width % size == 0 && first.saturating_add(rows) <= positions => {
                RotaryOp { rotary: rotary.clone(), first, vectors, inverse: false }.of([self])
            }
            _ => panics::rotary_shape(self.shape(), size, first, positions),
        }
    }
}

/// Sinusoidal positions, Vaswani et al. 2017, `[positions, size]`: the element 2k at position t is `sin(t 10000^(−2k/size))`, and the
/// element 2k + 1 the cosine of the same angle.
///
/// ```
/// use wengert::nn::sinusoidal_positions;
/// use wengert::prelude::*;
///
/// let positions: Tensor = sinusoidal_positions(2, 2);
/// assert_eq!(format!("{positions:.2}"), "[[0.   1.  ]\n [0.84 0.54]]");
/// ```
#[doc(alias = "positional_encoding")]
#[track_caller]
pub fn sinusoidal_positions<T: Float>(positions: usize, size: usize) -> Tensor<T> {
    Tensor::of_positions("sinusoidal_positions", &[positions, size], |at| {
        let (position, k) = (at / size, at % size);
        let angle = position as f64 * 1e4f64.powf(-((k / 2 * 2) as f64) / size as f64);
        if k % 2 == 0 { angle.sin() } else { angle.cos() }
    })
}

/// The bias of ALiBi, attention with linear biases (Press, Smith and Lewis 2022), `[heads, 1, keys]`, for [`Attention::bias`].
///
/// The score of the key at position j is raised by `m j`, with a slope m for each head. That is the bias of the paper, `−m (i − j)` for
/// the query at i, up to a number for each query, which the softmax ignores. The slopes are 2^(−8/n), 2^(−16/n), … for n heads, a power
/// of two; for other numbers of heads they are completed as in the paper's program.
///
/// [`Attention::bias`]: crate::ops::Attention::bias
///
/// ```
/// use wengert::nn::alibi;
/// use wengert::prelude::*;
///
/// let bias: Tensor = alibi(2, 3);
/// assert_eq!(bias, tensor![[[0.0, 0.0625, 0.125]], [[0.0, 0.00390625, 0.0078125]]]);
/// ```
#[track_caller]
pub fn alibi<T: Float>(heads: usize, keys: usize) -> Tensor<T> {
    let power = 1 << heads.max(1).ilog2();
    let slope = |head: usize| match head.checked_sub(power) {
        None => 2f64.powf(-8.0 * (head + 1) as f64 / power as f64),
        Some(extra) => 2f64.powf(-4.0 * (2 * extra + 1) as f64 / power as f64),
    };
    Tensor::of_positions("alibi", &[heads, 1, keys], |at| slope(at / keys) * (at % keys) as f64)
}
