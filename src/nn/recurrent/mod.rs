//! Recurrent layers.

mod batch;
mod cells;
mod layers;
mod run;

pub use cells::{GruCell, LstmCell, LstmState, RnnCell};
pub(super) use layers::instantiate;
pub use layers::{Gru, Lstm, Rnn};

use crate::ops::check_rate;
use crate::panics;

/// Options of recurrent layers: stacked and bidirectional layers, biases, dropout between layers, and the order of the axes.
///
/// ```
/// use wengert::prelude::*;
///
/// let options = Recurrent::new().layers(2).bidirectional().dropout(0.2);
/// let layer = Gru::with_options(16, 32, options, &mut wengert::rng(0));
/// let x = Tape::new().constant(Tensor::ones([10, 4, 16]));
/// assert_eq!(layer.forward(&x).shape(), [10, 4, 2 * 32]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recurrent {
    layers: usize,
    directions: usize,
    bias: bool,
    dropout: f64,
    batch_first: bool,
}

impl Recurrent {
    /// One layer in one direction, with biases, without dropout, for inputs `[T, N, in]`.
    pub fn new() -> Self {
        Recurrent { layers: 1, directions: 1, bias: true, dropout: 0.0, batch_first: false }
    }

    /// The number of layers: each reads the outputs of the one below.
    ///
    /// # Panics
    /// If it is 0.
    #[doc(alias = "num_layers")]
    #[track_caller]
    pub fn layers(self, layers: usize) -> Self {
        if layers == 0 {
            panics::option("layers", 0.0, "at least 1");
        }
        Recurrent { layers, ..self }
    }

    /// Adds a second direction to each layer, from the last step to the first; the outputs of both are concatenated. Schuster and
    /// Paliwal 1997.
    pub fn bidirectional(self) -> Self {
        Recurrent { directions: 2, ..self }
    }

    /// Removes the biases.
    pub fn without_bias(self) -> Self {
        Recurrent { bias: false, ..self }
    }

    /// [Dropout](crate::Var::dropout) of the outputs of every layer but the last; 0 by default. Zaremba, Sutskever and Vinyals 2014.
    ///
    /// # Panics
    /// If not 0 ≤ rate < 1.
    #[track_caller]
    pub fn dropout(self, rate: f64) -> Self {
        Recurrent { dropout: check_rate(rate), ..self }
    }

    /// Inputs and outputs are `[N, T, …]` instead of `[T, N, …]`. States keep their order of axes.
    pub fn batch_first(self) -> Self {
        Recurrent { batch_first: true, ..self }
    }

    /// The number of cells.
    fn cells(&self) -> usize {
        self.layers.saturating_mul(self.directions)
    }

    /// PyTorch's names of the parameters of a cell.
    fn names(&self, cell: usize) -> [String; 4] {
        let (layer, reverse) = (cell / self.directions, if cell % self.directions == 1 { "_reverse" } else { "" });
        ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|name| format!("{name}_l{layer}{reverse}"))
    }
}

impl Default for Recurrent {
    fn default() -> Self {
        Self::new()
    }
}
