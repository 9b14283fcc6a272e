//! Windows of a long text.

use crate::panics::{self, check_option};
use crate::tensor::Indices;
use rand::{Rng, RngExt};
use std::convert::Infallible;

/// A sequence of tokens in memory (`[usize]`, `Vec<usize>`, references to these) or in a [`TokenFile`](super::TokenFile).
pub trait Tokens {
    /// The result of reading: a [`WindowBatch`], or for a file a `Result`.
    type Batch;

    /// The number of tokens.
    fn count(&self) -> usize;

    /// The windows of `length` tokens that begin at the given positions, each of which has at least one more token after its
    /// window.
    fn gather(&self, starts: &[usize], length: usize, time_first: bool) -> Self::Batch;
}

impl Tokens for [usize] {
    type Batch = WindowBatch;

    fn count(&self) -> usize {
        self.len()
    }

    fn gather(&self, starts: &[usize], length: usize, time_first: bool) -> WindowBatch {
        let Ok(batch) = WindowBatch::gather(starts, length, time_first, |start, window| {
            window.copy_from_slice(&self[start..start + window.len()]);
            Ok::<(), Infallible>(())
        });
        batch
    }
}

impl Tokens for Vec<usize> {
    type Batch = WindowBatch;

    fn count(&self) -> usize {
        self.len()
    }

    fn gather(&self, starts: &[usize], length: usize, time_first: bool) -> WindowBatch {
        self.as_slice().gather(starts, length, time_first)
    }
}

impl<S: Tokens + ?Sized> Tokens for &S {
    type Batch = S::Batch;

    fn count(&self) -> usize {
        (**self).count()
    }

    fn gather(&self, starts: &[usize], length: usize, time_first: bool) -> S::Batch {
        (**self).gather(starts, length, time_first)
    }
}

/// Windows of a text: the inputs of a language model, and as targets the tokens that follow each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowBatch {
    /// The tokens: `[N, T]`, or `[T, N]` if [`time_first`](Windows::time_first) is set.
    pub inputs: Indices,
    /// The token after each of the inputs, in the same order: `N · T` labels, as the loss of scores `[N · T, K]` takes them.
    pub targets: Vec<usize>,
}

impl WindowBatch {
    /// Reads the windows of `length` inputs that begin at the given positions.
    pub(super) fn gather<E>(
        starts: &[usize],
        length: usize,
        time_first: bool,
        mut read: impl FnMut(usize, &mut [usize]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let count = starts.len();
        let (shape, window_step, time_step) =
            if time_first { ([length, count], 1, count) } else { ([count, length], length, 1) };
        let (mut inputs, mut targets) = (vec![0; count * length], vec![0; count * length]);
        let mut window = vec![0; length + 1];
        for (k, &start) in starts.iter().enumerate() {
            read(start, &mut window)?;
            for (t, pair) in window.windows(2).enumerate() {
                let at = k * window_step + t * time_step;
                (inputs[at], targets[at]) = (pair[0], pair[1]);
            }
        }
        Ok(WindowBatch { inputs: Indices::new(inputs, shape), targets })
    }
}

/// Windows of `length` tokens of a text, at random or in order, with the tokens that follow as targets.
///
/// Random windows train models that read a window at a time, such as Transformers; [streams](Windows::streams) train recurrent
/// networks, whose state is passed from window to window, and cover a text for validation.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::text::Windows;
///
/// let tokens: Vec<usize> = (0..100).collect();
/// let windows = Windows::new(&tokens, 3);
/// let batch = windows.sample(2, &mut wengert::rng(0));
/// assert_eq!(batch.inputs.shape(), [2, 3]);
/// assert_eq!(batch.targets[0], batch.inputs.as_slice()[0] + 1);
/// ```
#[derive(Clone, Debug)]
pub struct Windows<S> {
    tokens: S,
    length: usize,
    time_first: bool,
}

impl<S: Tokens> Windows<S> {
    /// Windows of the given number of tokens.
    ///
    /// # Panics
    /// If the length is 0, or there are not more tokens than that.
    #[track_caller]
    pub fn new(tokens: S, length: usize) -> Self {
        check_option("Windows: length", length as f64, 1.0..);
        if tokens.count() <= length {
            panics::window_length(length, tokens.count());
        }
        Windows { tokens, length, time_first: false }
    }

    /// Gives inputs the shape `[T, N]` instead of `[N, T]`: one row for each step of a recurrent network.
    #[must_use]
    pub fn time_first(self) -> Self {
        Windows { time_first: true, ..self }
    }

    /// Windows at `count` random positions, drawn with replacement; each position is equally likely.
    ///
    /// # Panics
    /// If `count` is 0.
    #[doc(alias = "get_batch")]
    #[track_caller]
    pub fn sample(&self, count: usize, rng: &mut impl Rng) -> S::Batch {
        check_option("Windows: count", count as f64, 1.0..);
        let positions = self.tokens.count() - self.length;
        let starts: Vec<usize> = (0..count).map(|_| rng.random_range(0..positions)).collect();
        self.tokens.gather(&starts, self.length, self.time_first)
    }

    /// Cuts the text into `count` parallel streams of equal length, and iterates over their windows: each continues the one before, as
    /// truncated backpropagation through time requires. The last window may be shorter.
    ///
    /// Each token is an input once, except for the last one, and less than `count` before it that remain of the division.
    ///
    /// # Panics
    /// If `count` is 0, or not less than the number of tokens.
    ///
    /// ```
    /// use wengert::text::Windows;
    ///
    /// let tokens: Vec<usize> = (0..12).collect();
    /// let inputs: Vec<Vec<usize>> =
    ///     Windows::new(&tokens, 2).streams(2).map(|batch| batch.inputs.as_slice().to_vec()).collect();
    /// assert_eq!(inputs, [vec![0, 1, 5, 6], vec![2, 3, 7, 8], vec![4, 9]]);
    /// ```
    #[doc(alias = "truncated_bptt")]
    #[track_caller]
    pub fn streams(&self, count: usize) -> Streams<'_, S> {
        check_option("Windows: streams", count as f64, 1.0..);
        if count >= self.tokens.count() {
            panics::stream_count(count, self.tokens.count());
        }
        Streams { windows: self, count, position: 0, drop_last: false }
    }
}

/// An iterator over the consecutive windows of parallel streams, made by [`Windows::streams`].
///
/// Its position is all that a checkpoint needs to resume in the middle of a text:
///
/// ```
/// use wengert::text::Windows;
///
/// let tokens: Vec<usize> = (0..100).collect();
/// let windows = Windows::new(&tokens, 5);
/// let mut streams = windows.streams(4);
/// streams.next();
/// let position = streams.position(); // a counter of `io::Checkpoint`
/// assert_eq!(windows.streams(4).starting_at(position).next(), streams.next());
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct Streams<'a, S> {
    windows: &'a Windows<S>,
    count: usize,
    /// The number of windows before the next one.
    position: usize,
    drop_last: bool,
}

impl<S: Tokens> Streams<'_, S> {
    /// Skips the last window if it is shorter than the others.
    pub fn drop_last(self) -> Self {
        Streams { drop_last: true, ..self }
    }

    /// Continues with the window at a [`position`](Streams::position).
    pub fn starting_at(self, position: usize) -> Self {
        Streams { position, ..self }
    }

    /// The number of windows that came before the next one.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The number of inputs in each stream.
    fn stream_length(&self) -> usize {
        (self.windows.tokens.count() - 1) / self.count
    }

    /// The number of windows of each stream.
    fn windows_in_all(&self) -> usize {
        let (length, window) = (self.stream_length(), self.windows.length);
        if self.drop_last { length / window } else { length.div_ceil(window) }
    }
}

impl<S: Tokens> Iterator for Streams<'_, S> {
    type Item = S::Batch;

    fn next(&mut self) -> Option<S::Batch> {
        if self.position >= self.windows_in_all() {
            return None;
        }
        let Windows { tokens, length, time_first } = self.windows;
        let (stream, start) = (self.stream_length(), self.position * length);
        let starts: Vec<usize> = (0..self.count).map(|k| k * stream + start).collect();
        self.position += 1;
        Some(tokens.gather(&starts, (*length).min(stream - start), *time_first))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.windows_in_all().saturating_sub(self.position);
        (left, Some(left))
    }
}

impl<S: Tokens> ExactSizeIterator for Streams<'_, S> {}
