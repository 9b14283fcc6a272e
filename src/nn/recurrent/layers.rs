//! Recurrent layers: cells unrolled over sequences.

use super::Recurrent;
use super::cells::{GruCell, LstmCell, LstmState, RnnCell};
use super::run::Run;
use crate::autograd::{Param, Var};
use crate::kernel::base::memory::reserved;
use crate::nn::{Layer, Module, Path};
use crate::tensor::Float;
use rand::Rng;
use std::hint::black_box;

/// Declares a recurrent layer: its name, its cell, its state, and how a state is taken apart and put together.
macro_rules! layer {
    (
        $(#[$meta:meta])* $name:ident, $cell:ident, $state:ty,
        parts: |$given:ident| $parts:expr, state: |$last:ident| $of:expr
    ) => {
        $(#[$meta])*
        ///
        /// The parameters have PyTorch's names, shapes and initial distribution, so PyTorch checkpoints can be loaded:
        /// `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0` of the first layer, `…_l1` of the second, and
        /// `…_l0_reverse` of the reverse direction.
        #[derive(Clone, Debug)]
        pub struct $name<T: Float = f32> {
            /// The weights of each layer and direction: layer 0, layer 0 in reverse, if there is one, layer 1, ….
            pub cells: Vec<$cell<T>>,
            options: Recurrent,
        }

        impl<T: Float> $name<T> {
            /// Creates a layer from `inputs` features to `hidden` units, without [options](Recurrent).
            ///
            /// # Panics
            /// If `hidden` is 0.
            #[track_caller]
            pub fn new(inputs: usize, hidden: usize, rng: &mut impl Rng) -> Self {
                $name::create(inputs, hidden, Recurrent::new(), rng)
            }

            /// Creates stacked, bidirectional or otherwise different layers.
            ///
            /// # Panics
            /// If `hidden` is 0.
            #[track_caller]
            pub fn with_options(inputs: usize, hidden: usize, options: Recurrent, rng: &mut impl Rng) -> Self {
                $name::create(inputs, hidden, options, rng)
            }

            #[track_caller]
            #[inline(never)]
            fn create(inputs: usize, hidden: usize, options: Recurrent, rng: &mut dyn Rng) -> Self {
                let mut cells = reserved(options.cells());
                for cell in 0..options.cells() {
                    let inputs = if cell < options.directions { inputs } else { hidden.saturating_mul(options.directions) };
                    cells.push($cell::create(inputs, hidden, options.bias, rng));
                }
                $name { cells, options }
            }

            /// The outputs of all steps, from an initial state of 0: `[T, N, in]` to `[T, N, directions · hidden]`, or both with
            /// the batch first.
            ///
            /// # Panics
            /// If the shape of `x` does not fit.
            #[track_caller]
            pub fn forward(&self, x: &Var<T>) -> Var<T> {
                self.forward_state(x, None).0
            }

            /// The outputs of all steps and the last state, from a given initial state or 0. States are
            /// `[layers · directions, N, hidden]`.
            ///
            /// # Panics
            /// If the shapes do not fit, or the state is on another tape.
            #[track_caller]
            pub fn forward_state(&self, x: &Var<T>, state: Option<&$state>) -> (Var<T>, $state) {
                self.unroll(x, None, state)
            }

            /// [`forward_state`](Self::forward_state) for sequences of different lengths, padded to the longest.
            ///
            /// No step of the padding is computed: the outputs there are 0, the last state of a sequence is that after its own
            /// last step, and the reverse direction starts there. So the padding may hold anything. PyTorch packs such sequences
            /// by `pack_padded_sequence`.
            ///
            /// # Panics
            /// If the shapes do not fit, the state is on another tape, there is not one length for each sequence, or a length
            /// exceeds the number of steps.
            #[doc(alias = "pack_padded_sequence")]
            #[track_caller]
            pub fn forward_padded(&self, x: &Var<T>, lengths: &[usize], state: Option<&$state>) -> (Var<T>, $state) {
                self.unroll(x, Some(lengths), state)
            }

            #[track_caller]
            #[inline(never)]
            fn unroll(&self, x: &Var<T>, lengths: Option<&[usize]>, $given: Option<&$state>) -> (Var<T>, $state) {
                let weights = self.cells.iter().map($cell::weights).collect();
                let run = Run { name: stringify!($name), cell: self.cells[0].kind(), weights };
                let (y, $last) = run.sequences(&self.options, x, lengths, $parts);
                (y, $of)
            }
        }

        impl<T: Float> Module<T> for $name<T> {
            fn kind(&self) -> &'static str {
                stringify!($name)
            }
            fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
                for (k, cell) in self.cells.iter().enumerate() {
                    let $cell { weight_ih, weight_hh, bias_ih, bias_hh, .. } = cell;
                    let parameters = [Some(weight_ih), Some(weight_hh), bias_ih.as_ref(), bias_hh.as_ref()];
                    for (name, param) in self.options.names(k).iter().zip(parameters) {
                        let Some(param) = param else { continue };
                        path.step(name.as_str(), stringify!($name), |path| param.visit(path, f));
                    }
                }
            }
            fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
                for (k, cell) in self.cells.iter_mut().enumerate() {
                    let $cell { weight_ih, weight_hh, bias_ih, bias_hh, .. } = cell;
                    let parameters = [Some(weight_ih), Some(weight_hh), bias_ih.as_mut(), bias_hh.as_mut()];
                    for (name, param) in self.options.names(k).iter().zip(parameters) {
                        let Some(param) = param else { continue };
                        path.step(name.as_str(), stringify!($name), |path| param.visit_mut(path, f));
                    }
                }
            }
        }

        impl<T: Float> Layer<T> for $name<T> {
            #[track_caller]
            fn forward(&self, x: &Var<T>) -> Var<T> {
                $name::forward(self, x)
            }
        }
    };
}

layer! {
    /// A recurrent layer, `h ← tanh(W_ih x + b_ih + W_hh h + b_hh)` in each step, see [`RnnCell`]. Elman 1990.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Rnn::new(3, 5, &mut wengert::rng(0)).relu();
    /// let x = Tape::new().constant(Tensor::ones([7, 2, 3])); // 7 steps of 2 sequences
    /// let (y, h) = layer.forward_state(&x, None);
    /// assert_eq!((y.shape(), h.shape()), (&[7, 2, 5][..], &[1, 2, 5][..]));
    /// ```
    #[doc(alias("SimpleRNN", "TimeRNN"))]
    Rnn, RnnCell, Var<T>, parts: |h| h.as_slice(), state: |last| last.into_iter().next().expect("a state")
}

layer! {
    /// Long short-term memory, see [`LstmCell`] for its gates. Hochreiter and Schmidhuber 1997.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let mut rng = wengert::rng(0);
    /// let layer = Lstm::with_options(3, 5, Recurrent::new().layers(2), &mut rng);
    /// let x = Tape::new().constant(Tensor::randn([7, 2, 3], &mut rng)); // 7 steps of 2 sequences
    /// let (y, state) = layer.forward_state(&x, None);
    /// assert_eq!((y.shape(), state.c.shape()), (&[7, 2, 5][..], &[2, 2, 5][..]));
    /// assert_eq!(y.value().select(0, -1), state.h.value().select(0, -1)); // the last step of the last layer
    ///
    /// let (y, state) = layer.forward_padded(&x, &[7, 4], None); // the second sequence has 4 steps
    /// assert_eq!(y.value().select(1, 1).select(0, 3), state.h.value().select(0, 1).select(0, 1));
    /// ```
    #[doc(alias = "TimeLSTM")]
    Lstm, LstmCell, LstmState<T>,
    parts: |state| state.map(LstmState::parts).as_ref().map_or(&[], |parts| &parts[..]), state: |last| LstmState::of(last)
}

layer! {
    /// A layer of gated recurrent units, see [`GruCell`] for their gates. Cho et al. 2014.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let layer = Gru::with_options(3, 5, Recurrent::new().bidirectional().batch_first(), &mut wengert::rng(0));
    /// let x = Tape::new().constant(Tensor::ones([2, 7, 3])); // 2 sequences of 7 steps
    /// let (y, h) = layer.forward_state(&x, None);
    /// assert_eq!((y.shape(), h.shape()), (&[2, 7, 10][..], &[2, 2, 5][..]));
    /// ```
    #[doc(alias = "TimeGRU")]
    Gru, GruCell, Var<T>, parts: |h| h.as_slice(), state: |last| last.into_iter().next().expect("a state")
}

impl<T: Float> Rnn<T> {
    /// Replaces tanh by relu in all cells. Le, Jaitly and Hinton 2015.
    #[must_use]
    pub fn relu(self) -> Self {
        Rnn { cells: self.cells.into_iter().map(RnnCell::relu).collect(), ..self }
    }
}

/// Instantiates the layers for an element type.
pub(in crate::nn) fn instantiate<T: Float>() {
    macro_rules! layers {
        ($($layer:ident: $state:ty),*) => { $(
            black_box($layer::<T>::create as fn(usize, usize, Recurrent, &mut dyn Rng) -> $layer<T>);
            black_box($layer::<T>::unroll as fn(&$layer<T>, &Var<T>, Option<&[usize]>, Option<&$state>) -> (Var<T>, $state));
        )* };
    }
    layers!(Rnn: Var<T>, Lstm: LstmState<T>, Gru: Var<T>);
}
