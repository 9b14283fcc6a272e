//! Cells: single steps of recurrent layers, and their weights.

use super::run::{Run, Weights, initial_weights};
use crate::autograd::{Param, Tape, Var};
use crate::ops::Cell;
use crate::tensor::Float;
use rand::Rng;

/// Declares a cell: its name, the shapes of its weights, and settings with their defaults.
macro_rules! cell {
    (
        $(#[$meta:meta])* $name:ident, $gates:literal, $weight_ih:literal, $weight_hh:literal, $bias:literal
        $(, $(#[$field_meta:meta])* $field:ident: $ty:ty = $default:expr)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name<T: Float = f32> {
            #[doc = $weight_ih]
            pub weight_ih: Param<T>,
            #[doc = $weight_hh]
            pub weight_hh: Param<T>,
            #[doc = $bias]
            pub bias_ih: Option<Param<T>>,
            #[doc = $bias]
            pub bias_hh: Option<Param<T>>,
            $($(#[$field_meta])* pub $field: $ty,)?
        }
        crate::module!($name<T> { weight_ih, weight_hh, bias_ih, bias_hh; $($field)? });

        impl<T: Float> $name<T> {
            /// Creates a cell from `inputs` features to `hidden` units, with all weights from `U(−1/√hidden, 1/√hidden)`.
            ///
            /// # Panics
            /// If `hidden` is 0.
            #[track_caller]
            pub fn new(inputs: usize, hidden: usize, rng: &mut impl Rng) -> Self {
                $name::create(inputs, hidden, true, rng)
            }

            /// Creates a cell without biases.
            ///
            /// # Panics
            /// If `hidden` is 0.
            #[track_caller]
            pub fn without_bias(inputs: usize, hidden: usize, rng: &mut impl Rng) -> Self {
                $name::create(inputs, hidden, false, rng)
            }

            #[track_caller]
            pub(super) fn create(inputs: usize, hidden: usize, bias: bool, rng: &mut dyn Rng) -> Self {
                let (weight_ih, weight_hh, bias_ih, bias_hh) = initial_weights([inputs, hidden], $gates, bias, rng);
                $name { weight_ih, weight_hh, bias_ih, bias_hh $(, $field: $default)? }
            }

            pub(super) fn weights(&self) -> Weights<&Param<T>> {
                (&self.weight_ih, &self.weight_hh, self.bias_ih.as_ref(), self.bias_hh.as_ref())
            }

            fn run(&self) -> Run<'_, T> {
                Run { name: stringify!($name), cell: self.kind(), weights: vec![self.weights()] }
            }
        }
    };
}

cell! {
    /// One step of an [`Rnn`](super::Rnn): `h′ = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or with relu instead of tanh. Elman 1990.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let cell = RnnCell::new(3, 4, &mut wengert::rng(0));
    /// let tape = Tape::new();
    /// let mut h = None;
    /// for _ in 0..5 {
    ///     h = Some(cell.forward(&tape.constant(Tensor::ones([2, 3])), h.as_ref()));
    /// }
    /// assert_eq!(h.unwrap().shape(), [2, 4]);
    /// ```
    RnnCell, 1, "`[hidden, in]`.", "`[hidden, hidden]`.", "`[hidden]`; `None` for a cell without biases.",
    /// Whether the nonlinearity is relu instead of tanh.
    relu: bool = false
}

cell! {
    /// One step of an [`Lstm`](super::Lstm), long short-term memory. Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins
    /// 2000 (forget gate).
    ///
    /// The gates i, f, g and o are row blocks of `W_ih x + b_ih + W_hh h + b_hh`: `c′ = σ(f) c + σ(i) tanh(g)` and
    /// `h′ = σ(o) tanh(c′)`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let cell = LstmCell::new(3, 4, &mut wengert::rng(0));
    /// let tape = Tape::new();
    /// let mut state = None;
    /// for _ in 0..5 {
    ///     state = Some(cell.forward(&tape.constant(Tensor::ones([2, 3])), state.as_ref()));
    /// }
    /// assert_eq!(state.unwrap().h.shape(), [2, 4]);
    /// ```
    LstmCell, 4, "`[4 hidden, in]`, the gates i, f, g, o.", "`[4 hidden, hidden]`.",
    "`[4 hidden]`; `None` for a cell without biases."
}

cell! {
    /// One step of a [`Gru`](super::Gru), a gated recurrent unit. Cho et al. 2014.
    ///
    /// The gates r, z and n are row blocks of the weights: `r = σ(W_ir x + b_ir + W_hr h + b_hr)`, z likewise,
    /// `n = tanh(W_in x + b_in + r (W_hn h + b_hn))` and `h′ = (1 − z) n + z h`. As in PyTorch and cuDNN, r multiplies the product with
    /// h and not h itself.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let cell = GruCell::new(3, 4, &mut wengert::rng(0));
    /// let h = cell.forward(&Tape::new().constant(Tensor::ones([2, 3])), None);
    /// assert_eq!(h.shape(), [2, 4]);
    /// ```
    GruCell, 3, "`[3 hidden, in]`, the gates r, z, n.", "`[3 hidden, hidden]`.",
    "`[3 hidden]`; `None` for a cell without biases."
}

impl<T: Float> RnnCell<T> {
    /// Replaces tanh by relu.
    #[must_use]
    pub fn relu(self) -> Self {
        RnnCell { relu: true, ..self }
    }

    pub(super) fn kind(&self) -> Cell {
        if self.relu { Cell::Relu } else { Cell::Tanh }
    }
}

impl<T: Float> LstmCell<T> {
    pub(super) fn kind(&self) -> Cell {
        Cell::Lstm
    }

    /// The state after a step from x `[N, in]` and a state of `[N, hidden]`, which is 0 if there is none.
    ///
    /// # Panics
    /// If the shapes do not fit, or the state is on another tape.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: &Var<T>, state: Option<&LstmState<T>>) -> LstmState<T> {
        LstmState::of(self.run().step(x, state.map(LstmState::parts).as_ref().map_or(&[], |parts| &parts[..])))
    }
}

impl<T: Float> GruCell<T> {
    pub(super) fn kind(&self) -> Cell {
        Cell::Gru
    }
}

/// Implements the forward pass of cells whose state is one value.
macro_rules! forward {
    ($($name:ident)*) => { $(
        impl<T: Float> $name<T> {
            /// The state after a step from x `[N, in]` and a state h `[N, hidden]`, which is 0 if there is none.
            ///
            /// # Panics
            /// If the shapes do not fit, or the state is on another tape.
            #[track_caller]
            #[inline(never)]
            pub fn forward(&self, x: &Var<T>, h: Option<&Var<T>>) -> Var<T> {
                self.run().step(x, h.as_slice()).remove(0)
            }
        }
    )* };
}
forward!(RnnCell GruCell);

/// The state of an LSTM: its output h and its cell state c.
///
/// `[N, hidden]` for a cell, `[layers · directions, N, hidden]` for layers.
#[derive(Clone, Debug)]
pub struct LstmState<T: Float = f32> {
    /// The hidden state, which is also the output of the last step.
    pub h: Var<T>,
    /// The cell state.
    pub c: Var<T>,
}

impl<T: Float> LstmState<T> {
    /// The same values as constants on a tape, from which the next window of a long sequence starts: here gradients stop.
    pub fn on(&self, tape: &Tape<T>) -> Self {
        LstmState { h: tape.constant(self.h.value()), c: tape.constant(self.c.value()) }
    }

    /// The same values as constants on the same tape.
    #[track_caller]
    pub fn detach(&self) -> Self {
        LstmState { h: self.h.detach(), c: self.c.detach() }
    }

    pub(super) fn parts(&self) -> [&Var<T>; 2] {
        [&self.h, &self.c]
    }

    /// The state of h and c.
    pub(super) fn of(parts: Vec<Var<T>>) -> Self {
        let [h, c] = <[Var<T>; 2]>::try_from(parts).expect("an LSTM has two states");
        LstmState { h, c }
    }
}
