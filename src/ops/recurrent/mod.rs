//! Recurrent layers: all steps of one layer in one direction are one operation.

mod composed;

use crate::autograd::apply::{AnyOp, InputGradients, apply_any};
use crate::autograd::backward::Pass;
use crate::autograd::op::BackwardContext;
use crate::autograd::{Description, Save, Setting, Var};
use crate::kernel::matmul::gemm::gemm;
use crate::kernel::matmul::product::{Accum, Matrix};
use crate::kernel::recurrent::{Backward, Forward, Unroll};
pub(crate) use crate::kernel::recurrent::{Cell, Steps};
use crate::tensor::{Dims, Float, Tensor, View};
use std::rc::Rc;

/// The steps of a recurrent layer in one direction. Its inputs are those of [`Inputs`], its value the concatenation of the outputs
/// of all steps, the last h and, for an LSTM, the last c.
///
/// A backward pass that is not recorded is one kernel, which reads the activations that the forward pass left in a field. They are
/// statistics of differentiable inputs; so a recorded pass ignores them, and differentiates the composition of other operations.
pub(crate) struct Recurrent<T: Float> {
    cell: Cell,
    steps: Rc<Steps>,
    reverse: bool,
    bias: bool,
    /// What the forward pass computed in each step, see [`Forward`]: gates, h before the step, and more. `None` before it.
    activations: Option<Tensor<T>>,
}

/// The inputs of the operation, variables or values.
struct Inputs<'a, X> {
    /// `[rows, in]`, the rows of [`Steps`].
    x: &'a X,
    /// The initial h and, for an LSTM, c: `[batch, hidden]`.
    state: &'a [X],
    /// `[gates · hidden, in]`.
    weight_ih: &'a X,
    /// `[gates · hidden, hidden]`.
    weight_hh: &'a X,
    /// Each `[gates · hidden]`.
    biases: Option<[&'a X; 2]>,
}

impl<'a, X> Inputs<'a, X> {
    fn new(cell: Cell, inputs: &'a [X]) -> Self {
        let (state, weights) = inputs[1..].split_at(cell.states());
        let biases = weights.get(2..4).map(|biases| [&biases[0], &biases[1]]);
        Inputs { x: &inputs[0], state, weight_ih: &weights[0], weight_hh: &weights[1], biases }
    }
}

impl<T: Float> AnyOp<T> for Recurrent<T> {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Tanh | Cell::Relu => "rnn",
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
        }
    }
    fn save(&self) -> Save {
        Save::Inputs
    }

    fn describe(&self, description: &mut Description) {
        description.field("steps", &self.steps.count());
        if self.cell == Cell::Relu {
            description.flag("relu", true);
        }
        if self.reverse {
            description.flag("reverse", true);
        }
        if self.steps.rows() == self.steps.count() * self.steps.batch() {
            description.data("count", Setting::Integers(vec![self.steps.count()]));
        }
    }

    fn composed(&self, inputs: &[&Var<T>]) -> Option<Var<T>> {
        Some(Recurrent::composed(self, &inputs.iter().map(|&x| x.clone()).collect::<Vec<_>>()))
    }

    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        let inputs = Inputs::new(self.cell, inputs);
        let [rows, batch, size] = self.sizes(&inputs);
        let (width, extra) = (self.cell.gates() * size, if self.has_extra() { size } else { 0 });
        let length = rows * size + self.cell.states() * batch * size;
        let mut activations = None;
        let value = Tensor::build(Dims::from_slice(&[length]), |value| {
            let (y, state) = value.split_at_mut(rows * size);
            for (state, initial) in state.chunks_exact_mut((batch * size).max(1)).zip(inputs.state) {
                state.copy_from_slice(initial.as_slice());
            }
            let (h, c) = state.split_at_mut(batch * size);
            activations = Some(Tensor::build(Dims::from_slice(&[rows * (width + size + extra)]), |all| {
                let (gates, rest) = all.split_at_mut(rows * width);
                let (before, extra) = rest.split_at_mut(rows * size);
                self.products(&inputs, gates);
                self.unroll(&inputs).forward(Forward { gates, y, state: [h, c], before, extra });
            }));
        });
        self.activations = activations;
        Ok(value)
    }
    fn backward(&self, saved: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        let count = 3 + self.cell.states() + if self.bias { 2 } else { 0 };
        let inputs: Vec<Var<T>> = (0..count).map(|k| saved.input(k)).collect();
        if saved.recording {
            // Inputs whose gradients are not needed stay connected: the gradients of others depend on them.
            let input = |(k, x): (usize, &Var<T>)| if saved.needs(k) { x.branch() } else { x.clone() };
            let inputs: Vec<Var<T>> = inputs.iter().enumerate().map(input).collect();
            let wanted: Vec<&Var<T>> = (0..count).filter(|&k| saved.needs(k)).map(|k| &inputs[k]).collect();
            let mut found = self.composed(&inputs).vjp_with(gy, &wanted, Pass::Recorded).into_iter();
            gradients.extend((0..count).map(|k| if saved.needs(k) { found.next().flatten() } else { None }));
            return;
        }
        let values: Vec<&Tensor<T>> = inputs.iter().map(Var::value).collect();
        let parts = self.through_time(saved, &Inputs::new(self.cell, &values), gy.value());
        gradients.extend(parts.into_iter().map(|part| part.map(|part| saved.tape.constant(part))));
    }
}

impl<T: Float> Recurrent<T> {
    /// The numbers of rows and sequences, and the size of h.
    fn sizes(&self, inputs: &Inputs<&Tensor<T>>) -> [usize; 3] {
        [self.steps.rows(), self.steps.batch(), inputs.weight_hh.shape()[1]]
    }

    /// Whether the kernels keep more than the gates and h of each step.
    fn has_extra(&self) -> bool {
        matches!(self.cell, Cell::Lstm | Cell::Gru)
    }

    fn unroll<'a>(&'a self, inputs: &Inputs<'a, &'a Tensor<T>>) -> Unroll<'a, T> {
        let bias_hh = inputs.biases.filter(|_| self.cell == Cell::Gru).map(|[_, hidden]| hidden.as_slice());
        Unroll {
            cell: self.cell,
            steps: &self.steps,
            reverse: self.reverse,
            hidden: inputs.weight_hh.shape()[1],
            weight_hh: inputs.weight_hh.as_slice(),
            bias_hh,
        }
    }

    /// The products of all steps with the input, plus the biases, which are one except in a GRU.
    fn products(&self, inputs: &Inputs<&Tensor<T>>, y: &mut [T]) {
        let [width, columns] = *inputs.weight_ih.shape() else { unreachable!("a weight is a matrix") };
        let rows = self.steps.rows();
        let x = Matrix::new(inputs.x.as_slice(), rows, columns, false);
        let weight = Matrix::new(inputs.weight_ih.as_slice(), columns, width, true);
        let bias = inputs.biases.map(|[input, hidden]| match self.cell {
            Cell::Gru => (*input).clone(),
            _ => *input + *hidden,
        });
        let accum = bias.as_ref().map_or(Accum::Replace, |bias| Accum::Bias(bias.as_slice()));
        gemm(x, weight, accum, y);
    }

    /// The gradients with respect to the inputs by backpropagation through time.
    fn through_time(
        &self,
        saved: &BackwardContext<T>,
        inputs: &Inputs<&Tensor<T>>,
        gy: &Tensor<T>,
    ) -> Vec<Option<Tensor<T>>> {
        let activations = self.activations.as_ref().expect("the forward pass was before");
        let [rows, batch, size] = self.sizes(inputs);
        let width = self.cell.gates() * size;
        let (gates, rest) = activations.as_slice().split_at(rows * width);
        let (before, extra) = rest.split_at(rows * size);
        let (gy, last) = gy.as_slice().split_at(rows * size);
        let initial = |k: usize| match k < self.cell.states() {
            true => Tensor::from_slice(&last[k * batch * size..(k + 1) * batch * size], [batch, size]),
            false => Tensor::zeros([0]),
        };
        let mut state = [0, 1].map(initial);
        let [h, c] = &mut state;
        let has_products = self.cell == Cell::Gru;
        let mut gproducts = Tensor::zeros([if has_products { rows } else { 0 }, width]);
        let ggates = Tensor::build(Dims::from_slice(&[rows, width]), |ggates| {
            self.unroll(inputs).backward(Backward {
                gates,
                before,
                extra,
                gy,
                state: [h.as_mut_slice(), c.as_mut_slice()],
                ggates,
                gproducts: gproducts.as_mut_slice(),
            });
        });
        let gproducts = if has_products { gproducts } else { ggates.clone() };
        let before = activations.slice_by(&matrix_at(rows * width, rows, size));
        let first = 1 + self.cell.states();
        let mut gradients = vec![saved.needs(0).then(|| ggates.matmul_transposed(inputs.weight_ih, false, false))];
        gradients.extend(state.into_iter().take(self.cell.states()).map(Some));
        gradients.push(saved.needs(first).then(|| ggates.matmul_transposed(inputs.x, true, false)));
        gradients.push(saved.needs(first + 1).then(|| gproducts.matmul_transposed(&before, true, false)));
        if self.bias {
            let needed = saved.needs(first + 2) || saved.needs(first + 3);
            let bias = needed.then(|| ggates.sum_over(0));
            let hidden = if has_products { needed.then(|| gproducts.sum_over(0)) } else { bias.clone() };
            gradients.extend([bias, hidden]);
        }
        gradients
    }
}

/// The outputs of a recurrent layer in one direction.
pub(crate) struct Recurred<T: Float> {
    /// h after each step, `[rows, hidden]`.
    pub(crate) y: Var<T>,
    /// The last h and, for an LSTM, c: `[batch, hidden]`.
    pub(crate) state: Vec<Var<T>>,
}

/// Applies a recurrent layer in one direction to `[rows, in]` with an initial state; all shapes are known to fit.
#[track_caller]
#[inline(never)]
pub(crate) fn recur<T: Float>(
    cell: Cell,
    steps: &Rc<Steps>,
    reverse: bool,
    x: &Var<T>,
    state: &[Var<T>],
    weights: &[Var<T>],
) -> Recurred<T> {
    let op = Recurrent { cell, steps: steps.clone(), reverse, bias: weights.len() > 2, activations: None };
    let inputs: Vec<&Var<T>> = std::iter::once(x).chain(state).chain(weights).collect();
    let all = apply_any(op, &inputs);
    let (rows, batch, size) = (steps.rows(), steps.batch(), weights[1].shape()[1]);
    let y = all.slice_by(matrix_at(0, rows, size));
    let mut last = Vec::with_capacity(state.len());
    // A closure would lose the caller's line.
    for k in 0..state.len() {
        last.push(all.slice_by(matrix_at(rows * size + k * batch * size, batch, size)));
    }
    Recurred { y, state: last }
}

/// A matrix `[rows, size]` of the elements from `offset` on.
fn matrix_at(offset: usize, rows: usize, size: usize) -> View {
    View { offset, ..View::contiguous(&[rows, size]) }
}
