//! Scaled dot-product attention.

mod cache;
mod composed;
mod layout;
mod options;
mod rotary;

pub use cache::KeyValueCache;
pub use options::Attention;
pub(crate) use rotary::RotaryOp;
pub use rotary::{Rotary, alibi, sinusoidal_positions};

use crate::autograd::apply::{AnyOp, InputGradients};
use crate::autograd::op::BackwardContext;
use crate::autograd::{Description, Save, Var};
use crate::kernel::attention::{self, Bias, Dropout, Gradients, Place, Problem, Results, Target, Vectors};
use crate::kernel::base::threads::Chunks;
use crate::tensor::{Dims, Float, Tensor, View};
use layout::{Form, Layout};
use std::rc::Rc;

/// `Y = P V` with the weights `P = softmax(scale Q Kᵀ + biases)`, of which dropout may drop some.
///
/// The inputs are Q, K and V, or a single one that holds all three. The plain backward pass calls a kernel that reads the logarithms
/// of the sums of exponentials, which the forward pass left in a field. Those depend on Q and K, so a recorded pass does not use them:
/// it follows the [composed rule](Scores::gradients).
pub(crate) struct AttentionOp<T: Float> {
    layout: Layout,
    scores: Scores<T>,
    logsumexp: Option<Tensor<T>>,
}

/// How the weights follow from Q and K.
#[derive(Clone)]
pub(crate) struct Scores<T: Float> {
    scale: f64,
    /// The position of the first query among the keys, if a query attends to no later key than its own.
    causal: Option<usize>,
    /// What is added to the scores; each broadcasts to `[…, H, T, S]`, and its last axis has size S.
    biases: Rc<[Tensor<T>]>,
    dropout: Option<DropoutOfWeights>,
}

/// The rate of dropout, and the seed of its mask.
#[derive(Clone, Copy)]
struct DropoutOfWeights {
    rate: f64,
    seed: u64,
}

impl<T: Float> AnyOp<T> for AttentionOp<T> {
    fn name(&self) -> &'static str {
        "attention"
    }
    fn save(&self) -> Save {
        Save::InputsAndOutput
    }

    fn describe(&self, description: &mut Description) {
        let Scores { scale, causal, biases, dropout } = &self.scores;
        description.field("heads", &self.layout.sizes.heads).number("scale", *scale).field("causal", &causal.is_some());
        for bias in biases.iter() {
            description.field("bias", &bias.shape());
        }
        if let Some(DropoutOfWeights { rate, seed }) = dropout {
            description.number("dropout", *rate).field("seed", seed);
        }
    }

    fn composed(&self, inputs: &[&Var<T>]) -> Option<Var<T>> {
        let inputs: Vec<Var<T>> = inputs.iter().map(|&x| x.clone()).collect();
        Some(self.layout.ungrouped(&self.scores.value(&self.layout, &self.layout.split(&inputs))))
    }

    fn forward(&mut self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, String> {
        let sizes = self.layout.sizes;
        let mut logsumexp = Tensor::zeros([sizes.batch * sizes.heads * sizes.blocks(), sizes.block()]);
        let y = Tensor::build(self.layout.output_shape(), |y| {
            let y = Target { chunks: &Chunks::new(y, self.layout.output.size), place: self.layout.output };
            self.with_problem(inputs, |problem| attention::forward(problem, y, logsumexp.as_mut_slice()));
        });
        self.logsumexp = Some(logsumexp);
        Ok(y)
    }
    fn backward(&self, context: &BackwardContext<T>, gy: &Var<T>, gradients: &mut InputGradients<T>) {
        let inputs: Vec<Var<T>> = (0..self.inputs()).map(|k| context.input(k)).collect();
        if !context.recording {
            let values: Vec<&Tensor<T>> = inputs.iter().map(Var::value).collect();
            let computed = self.gradients(&values, context.output().value(), gy.value());
            return gradients.extend(computed.into_iter().map(|x| Some(context.tape.constant(x))));
        }
        let gy = self.layout.split_output(gy);
        let computed = self.scores.gradients(&self.layout, &self.layout.split(&inputs), &gy);
        gradients.extend(self.layout.join(computed).into_iter().map(Some));
    }
}

impl<T: Float> AttentionOp<T> {
    pub(crate) fn new(layout: Layout, scores: Scores<T>) -> Self {
        AttentionOp { layout, scores, logsumexp: None }
    }

    /// Takes keys and values from a cache, in which the first query has the given position.
    fn attend_from(&mut self, first: usize, cached: Place) {
        self.layout.places[1..].fill(cached);
        self.scores.causal = Some(first);
    }

    /// The number of inputs.
    fn inputs(&self) -> usize {
        if self.layout.form == Form::Packed { 1 } else { 3 }
    }

    /// The gradients of the inputs, computed by the kernel.
    fn gradients(&self, inputs: &[&Tensor<T>], y: &Tensor<T>, gy: &Tensor<T>) -> Vec<Tensor<T>> {
        let Layout { places, output, .. } = &self.layout;
        let logsumexp = self.logsumexp.as_ref().expect("the forward pass sets it").as_slice();
        let [y, gy] = [y, gy].map(|x| Vectors { data: x.as_slice(), place: *output });
        let results = Results { y, gy, logsumexp };
        let run = |targets: [Target<T>; 3]| {
            let [query, key, value] = targets;
            let gradients = Gradients { query, key, value };
            self.with_problem(inputs, |problem| attention::backward(problem, &results, &gradients));
        };
        if let [x] = inputs {
            let packed = Tensor::build(x.dims(), |x| {
                let chunks = Chunks::new(x, places[0].size);
                run(places.map(|place| Target { chunks: &chunks, place }));
            });
            return vec![packed];
        }
        let mut gradients: Vec<Tensor<T>> = inputs.iter().map(|x| Tensor::build(x.dims(), |_| ())).collect();
        let [query, key, value] = &mut gradients[..] else { unreachable!("there are three inputs") };
        let chunks = |x, k: usize| Chunks::new(Tensor::as_mut_slice(x), places[k].size);
        let (query, key, value) = (chunks(query, 0), chunks(key, 1), chunks(value, 2));
        let target = |chunks, k: usize| Target { chunks, place: places[k] };
        run([target(&query, 0), target(&key, 1), target(&value, 2)]);
        gradients
    }

    /// Calls `f` with what the kernels read.
    fn with_problem(&self, inputs: &[&Tensor<T>], f: impl FnOnce(&Problem<T>)) {
        let (Layout { sizes, places, .. }, scores) = (&self.layout, &self.scores);
        let full = self.layout.scores_shape();
        let views: Vec<View> = scores.biases.iter().map(|bias| View::broadcast(bias.shape(), &full)).collect();
        let offsets: Vec<Vec<usize>> = views.iter().map(offsets_of_heads).collect();
        let bias = |k: usize| {
            let (data, row) = (scores.biases[k].as_slice(), views[k].strides[full.len() - 2] as usize);
            Bias { data, offsets: &offsets[k], row }
        };
        let biases: Vec<Bias<T>> = (0..offsets.len()).map(bias).collect();
        let vectors = |k: usize| Vectors { data: inputs[k.min(inputs.len() - 1)].as_slice(), place: places[k] };
        f(&Problem {
            sizes: *sizes,
            query: vectors(0),
            key: vectors(1),
            value: vectors(2),
            scale: T::from_f64(scores.scale),
            causal: scores.causal,
            biases: &biases,
            dropout: scores.dropout.map(|DropoutOfWeights { rate, seed }| Dropout::new(rate, seed)),
        });
    }
}

/// Where the scores of each sequence and head begin in a view of shape `[…, H, T, S]`.
fn offsets_of_heads(view: &View) -> Vec<usize> {
    let axes = view.shape.len() - 2;
    let heads = View {
        offset: view.offset,
        shape: Dims::from_slice(&view.shape[..axes]),
        strides: view.strides[..axes].iter().copied().collect(),
    };
    let mut offsets = Vec::new();
    heads.for_each(|at| offsets.push(at));
    offsets
}
