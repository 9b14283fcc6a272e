//! Forward passes that all kinds of recurrent layers share.

use super::Recurrent;
use super::batch::Batch;
use crate::autograd::{Param, Tape, Var};
use crate::nn::Init;
use crate::ops::{Cell, Steps, recur};
use crate::panics;
use crate::tensor::{Float, Tensor};
use rand::Rng;
use std::rc::Rc;

/// The weights of a cell, in PyTorch's order: of the input and of h, and their biases, if there are any.
pub(super) type Weights<P> = (P, P, Option<P>, Option<P>);

/// Samples the weights of a cell from PyTorch's distribution, `U(−1/√hidden, 1/√hidden)`.
#[track_caller]
#[inline(never)]
pub(super) fn initial_weights<T: Float>(
    [inputs, hidden]: [usize; 2],
    gates: usize,
    bias: bool,
    rng: &mut dyn Rng,
) -> Weights<Param<T>> {
    if hidden == 0 {
        panics::option("hidden", 0.0, "at least 1");
    }
    let width = hidden.saturating_mul(gates);
    let init = Init::Uniform(1.0 / (hidden as f64).sqrt());
    let weight_ih = Param::new(init.sample(&[width, inputs], rng));
    let weight_hh = Param::new(init.sample(&[width, hidden], rng));
    // Their size is that of the rows above.
    let [bias_ih, bias_hh] = [(); 2].map(|()| bias.then(|| Param::new(init.sample(&[width], rng))));
    (weight_ih, weight_hh, bias_ih, bias_hh)
}

/// Cells that are about to run, in layers of one direction or two.
pub(super) struct Run<'a, T: Float> {
    pub(super) name: &'static str,
    pub(super) cell: Cell,
    pub(super) weights: Vec<Weights<&'a Param<T>>>,
}

impl<T: Float> Run<'_, T> {
    /// The number of units of a cell.
    fn hidden(&self) -> usize {
        self.weights[0].1.shape()[1]
    }

    /// The state after one step of a single cell from `[N, in]`; the initial state is 0 unless one is given.
    #[track_caller]
    #[inline(never)]
    pub(super) fn step(&self, x: &Var<T>, state: &[&Var<T>]) -> Vec<Var<T>> {
        let [batch, _] = *x.shape() else { panics::not_a_batch(self.name, x.shape()) };
        self.check_inputs(x);
        let state = self.initial_state(x.tape(), state, &[batch, self.hidden()]);
        let steps = Rc::new(Steps::new(&vec![1; batch]));
        recur(self.cell, &steps, false, x, &state, &self.variables(x.tape(), 0)).state
    }

    /// The outputs of the last layer for a batch of sequences, and the last states of all cells, `[cells, N, hidden]`.
    #[track_caller]
    #[inline(never)]
    pub(super) fn sequences(
        &self,
        options: &Recurrent,
        x: &Var<T>,
        lengths: Option<&[usize]>,
        state: &[&Var<T>],
    ) -> (Var<T>, Vec<Var<T>>) {
        let batch = Batch::new(self.name, x.shape(), options.batch_first, lengths);
        self.check_inputs(x);
        let cells = self.weights.len();
        let state = self.initial_state(x.tape(), state, &batch.state_shape(cells, self.hidden()));
        let (mut x, mut last) = (batch.packed(x), vec![Vec::with_capacity(cells); state.len()]);
        for first in (0..cells).step_by(options.directions) {
            if first > 0 {
                x = x.dropout(options.dropout);
            }
            let mut outputs = Vec::with_capacity(options.directions);
            for cell in first..first + options.directions {
                let mut initial = Vec::with_capacity(state.len());
                for state in &state {
                    initial.push(batch.sorted(&state.select(0, cell)));
                }
                let weights = self.variables(x.tape(), cell);
                let recurred = recur(self.cell, &batch.steps, cell > first, &x, &initial, &weights);
                outputs.push(recurred.y);
                for (last, state) in last.iter_mut().zip(&recurred.state) {
                    last.push(batch.unsorted(state));
                }
            }
            x = if let [y] = &outputs[..] { y.clone() } else { Var::concat(&outputs, 1) };
        }
        let mut states = Vec::with_capacity(last.len());
        for state in &last {
            states.push(Var::stack(state, 0));
        }
        (batch.unpacked(&x), states)
    }

    /// Checks that an input has as many features as the weight has columns.
    #[track_caller]
    fn check_inputs(&self, x: &Var<T>) {
        let inputs = self.weights[0].0.shape()[1];
        if x.shape().last() != Some(&inputs) {
            panics::recurrent_inputs(self.name, x.shape(), inputs);
        }
    }

    /// The given initial state, which must have that shape, or zeros.
    #[track_caller]
    fn initial_state(&self, tape: &Tape<T>, given: &[&Var<T>], shape: &[usize]) -> Vec<Var<T>> {
        if given.is_empty() {
            return vec![tape.constant(Tensor::zeros(shape)); self.cell.states()];
        }
        if let Some(other) = given.iter().find(|state| state.shape() != shape) {
            panics::initial_state(self.name, other.shape(), shape);
        }
        given.iter().map(|&state| state.clone()).collect()
    }

    /// The weights of a cell on the tape.
    #[track_caller]
    fn variables(&self, tape: &Tape<T>, cell: usize) -> Vec<Var<T>> {
        let (weight_ih, weight_hh, bias_ih, bias_hh) = self.weights[cell];
        let mut variables = vec![tape.param(weight_ih), tape.param(weight_hh)];
        // A bias that is missing beside the other is 0.
        if bias_ih.is_some() || bias_hh.is_some() {
            for bias in [bias_ih, bias_hh] {
                variables.push(match bias {
                    Some(bias) => tape.param(bias),
                    None => tape.constant(Tensor::zeros([weight_ih.shape()[0]])),
                });
            }
        }
        variables
    }
}
