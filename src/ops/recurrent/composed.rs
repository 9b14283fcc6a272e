//! Recurrent layers composed of other operations, which can be differentiated to any order.

use super::{Cell, Inputs, Recurrent};
use crate::autograd::Var;
use crate::tensor::{Dims, Float};

impl<T: Float> Recurrent<T> {
    /// The value of the operation, step by step.
    pub(super) fn composed(&self, inputs: &[Var<T>]) -> Var<T> {
        let inputs = Inputs::new(self.cell, inputs);
        let products = inputs.linear(inputs.x, inputs.weight_ih, 0);
        let mut state = inputs.state.to_vec();
        let mut outputs = vec![None; self.steps.count()];
        for step in self.steps.order(self.reverse) {
            let rows = self.steps.rows_of(step);
            let active = rows.len();
            let before: Vec<Var<T>> = state.iter().map(|s| s.narrow(0, 0..active)).collect();
            let after = inputs.step(self.cell, &products.narrow(0, rows), &before);
            outputs[step] = Some(after[0].clone());
            let resting = |s: &Var<T>| s.narrow(0, active..s.shape()[0]);
            state = after.into_iter().zip(&state).map(|(s, before)| Var::concat(&[s, resting(before)], 0)).collect();
        }
        let flat = |x: Var<T>| x.with_shape(Dims::from_slice(&[x.value().len()]));
        let parts: Vec<Var<T>> = outputs.into_iter().flatten().chain(state).map(flat).collect();
        Var::concat(&parts, 0)
    }
}

impl<T: Float> Inputs<'_, Var<T>> {
    /// `x Wᵀ + b` with one of the biases, if there are any.
    fn linear(&self, x: &Var<T>, weight: &Var<T>, bias: usize) -> Var<T> {
        match self.biases {
            Some(biases) => x.linear_bias(weight, biases[bias]),
            None => x.linear(weight),
        }
    }

    /// The state after a step, given the products with the input.
    fn step(&self, cell: Cell, input: &Var<T>, state: &[Var<T>]) -> Vec<Var<T>> {
        let h = &state[0];
        let hidden = self.linear(h, self.weight_hh, 1);
        let gates = |x: &Var<T>| x.split(h.shape()[1], 1);
        match cell {
            Cell::Tanh => vec![(input + hidden).tanh()],
            Cell::Relu => vec![(input + hidden).relu()],
            Cell::Lstm => {
                let [i, f, g, o] = &gates(&(input + hidden))[..] else { unreachable!("there are four gates") };
                let c = f.sigmoid() * &state[1] + i.sigmoid() * g.tanh();
                vec![o.sigmoid() * c.tanh(), c]
            }
            Cell::Gru => {
                let (input, hidden) = (gates(input), gates(&hidden));
                let [r, z] = [0, 1].map(|k| (&input[k] + &hidden[k]).sigmoid());
                let n = (&input[2] + r * &hidden[2]).tanh();
                vec![(1.0 - &z) * n + z * h]
            }
        }
    }
}
