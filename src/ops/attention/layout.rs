//! Where the heads of queries, keys and values are in the operands.

use crate::autograd::Var;
use crate::kernel::attention::{Place, Sizes};
use crate::panics;
use crate::tensor::{Dims, Float};

/// The arrangement of the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `[…, H, T, D]`: the operands of PyTorch's function.
    Separate,
    /// `[…, T, H D]`: the heads lie one after another in the last axis.
    Merged,
    /// `[…, T, (H + 2 Hk) D]`: queries, keys and values lie one after another too.
    Packed,
}

/// The sizes and places of the operands and of the result.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) form: Form,
    pub(crate) sizes: Sizes,
    /// The axes before heads and positions.
    pub(crate) batch: Dims,
    /// Those of queries, keys and values.
    pub(crate) places: [Place; 3],
    pub(crate) output: Place,
}

impl Layout {
    /// Operands `[…, H, T, D]`, `[…, Hk, S, D]` and `[…, Hk, S, Dv]`; the error is why they do not fit.
    pub(crate) fn separate(shapes: [&[usize]; 3]) -> Result<Self, String> {
        let [
            [q_batch @ .., heads, queries, size],
            [k_batch @ .., kv_heads, keys, k_size],
            [v_batch @ .., v_heads, v_keys, value_size],
        ] = shapes
        else {
            return Err(panics::attention_rank(&shapes, "[..., heads, positions, size]"));
        };
        if q_batch != k_batch || q_batch != v_batch || [kv_heads, keys, size] != [v_heads, v_keys, k_size] {
            return Err(panics::attention_shapes(shapes));
        }
        let batch = Dims::from_slice(q_batch);
        let sizes =
            Sizes { batch: batch.iter().product(), heads: *heads, kv_heads: *kv_heads, queries: *queries, keys: *keys };
        let place = |heads, positions, size| Place {
            offset: 0,
            batch: heads * positions * size,
            head: positions * size,
            position: size,
            size,
        };
        let places =
            [place(*heads, *queries, *size), place(*kv_heads, *keys, *size), place(*kv_heads, *keys, *value_size)];
        Layout { form: Form::Separate, sizes, batch, places, output: place(*heads, *queries, *value_size) }.checked()
    }

    /// Operands `[…, T, H D]`, `[…, S, Hk D]` and `[…, S, Hk Dv]`.
    pub(crate) fn merged(shapes: [&[usize]; 3], heads: usize, kv_heads: usize) -> Result<Self, String> {
        let [[q_batch @ .., queries, q_width], [k_batch @ .., keys, k_width], [v_batch @ .., v_keys, v_width]] = shapes
        else {
            return Err(panics::attention_rank(&shapes, "[..., positions, heads * size]"));
        };
        let divides = |width: &usize, heads: usize| heads > 0 && width.is_multiple_of(heads);
        if !divides(q_width, heads) || !divides(k_width, kv_heads) || !divides(v_width, kv_heads) {
            return Err(panics::attention_width(shapes, heads, kv_heads));
        }
        if q_batch != k_batch || q_batch != v_batch || keys != v_keys || q_width / heads != k_width / kv_heads {
            return Err(panics::attention_shapes(shapes));
        }
        let batch = Dims::from_slice(q_batch);
        let sizes = Sizes { batch: batch.iter().product(), heads, kv_heads, queries: *queries, keys: *keys };
        let place = |width: usize, heads: usize, positions: usize| {
            let size = width / heads;
            Place { offset: 0, batch: positions * width, head: size, position: width, size }
        };
        let places =
            [place(*q_width, heads, *queries), place(*k_width, kv_heads, *keys), place(*v_width, kv_heads, *keys)];
        let output = place(heads * places[2].size, heads, *queries);
        Layout { form: Form::Merged, sizes, batch, places, output }.checked()
    }

    /// One operand `[…, T, (H + 2 Hk) D]`.
    pub(crate) fn packed(shape: &[usize], heads: usize, kv_heads: usize) -> Result<Self, String> {
        let [batch @ .., positions, width] = shape else {
            return Err(panics::attention_rank(&[shape], "[..., positions, (heads + 2 kv_heads) * size]"));
        };
        let vectors = heads.saturating_add(kv_heads).saturating_add(kv_heads);
        if heads == 0 || kv_heads == 0 || !width.is_multiple_of(vectors) {
            return Err(panics::attention_packed(shape, heads, kv_heads));
        }
        let size = width / vectors;
        let batch = Dims::from_slice(batch);
        let count = batch.iter().product();
        let sizes = Sizes { batch: count, heads, kv_heads, queries: *positions, keys: *positions };
        let place =
            |first: usize| Place { offset: first * size, batch: positions * width, head: size, position: *width, size };
        let output = Place { offset: 0, batch: positions * heads * size, head: size, position: heads * size, size };
        let places = [place(0), place(heads), place(heads + kv_heads)];
        Layout { form: Form::Packed, sizes, batch, places, output }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        let Sizes { heads, kv_heads, .. } = self.sizes;
        if kv_heads == 0 || !heads.is_multiple_of(kv_heads) {
            return Err(panics::attention_groups(heads, kv_heads));
        }
        if self.places.iter().any(|place| place.size == 0) {
            return Err(panics::attention_empty(&self.scores_shape()));
        }
        Ok(self)
    }

    /// `[…, H, T, S]`.
    pub(crate) fn scores_shape(&self) -> Dims {
        let Sizes { heads, queries, keys, .. } = self.sizes;
        self.batch.iter().copied().chain([heads, queries, keys]).collect()
    }

    /// The shape of the result.
    pub(crate) fn output_shape(&self) -> Dims {
        let (Sizes { heads, queries, .. }, size) = (self.sizes, self.output.size);
        match self.form {
            Form::Separate => self.batch.iter().copied().chain([heads, queries, size]).collect(),
            Form::Merged | Form::Packed => self.batch.iter().copied().chain([queries, heads * size]).collect(),
        }
    }

    /// Queries `[B, Hk, H / Hk, T, D]`, and keys and values `[B, Hk, 1, S, …]`.
    #[track_caller]
    pub(crate) fn split<T: Float>(&self, inputs: &[Var<T>]) -> [Var<T>; 3] {
        [self.split_operand(inputs, 0), self.split_operand(inputs, 1), self.split_operand(inputs, 2)]
    }

    #[track_caller]
    fn split_operand<T: Float>(&self, inputs: &[Var<T>], k: usize) -> Var<T> {
        let Sizes { heads, kv_heads, queries, keys, .. } = self.sizes;
        let (heads, positions) = if k == 0 { (heads, queries) } else { (kv_heads, keys) };
        let place = &self.places[k];
        if self.form != Form::Packed {
            return self.grouped(&inputs[k], [heads, positions, place.size]);
        }
        let last = inputs[0].shape().len() - 1;
        let x = inputs[0].narrow(last, place.offset..place.offset + heads * place.size);
        self.grouped(&x, [heads, positions, place.size])
    }

    /// The gradient of the result as [split](Layout::split) queries are.
    #[track_caller]
    pub(crate) fn split_output<T: Float>(&self, gy: &Var<T>) -> Var<T> {
        self.grouped(gy, [self.sizes.heads, self.sizes.queries, self.output.size])
    }

    /// Vectors as `[B, Hk, heads / Hk, positions, size]`.
    #[track_caller]
    fn grouped<T: Float>(&self, x: &Var<T>, [heads, positions, size]: [usize; 3]) -> Var<T> {
        let Sizes { batch, kv_heads, .. } = self.sizes;
        let x = match self.form {
            Form::Separate => x.clone(),
            _ => {
                let vectors = x.with_shape(Dims::from_slice(&[batch, positions, heads, size]));
                vectors.permute_by(Dims::from_slice(&[0, 2, 1, 3]))
            }
        };
        x.with_shape([batch, kv_heads, heads / kv_heads, positions, size].into_iter().collect())
    }

    /// The inverse of [`grouped`](Layout::grouped): in the shape `[…, heads, positions, size]` or `[…, positions, heads · size]`.
    pub(super) fn ungrouped<T: Float>(&self, x: &Var<T>) -> Var<T> {
        let &[batch, kv_heads, group, positions, size] = x.shape() else {
            unreachable!("grouped vectors have five axes")
        };
        let heads = kv_heads * group;
        let x = x.with_shape(Dims::from_slice(&[batch, heads, positions, size]));
        match self.form {
            Form::Separate => x.with_shape(self.batch.iter().copied().chain([heads, positions, size]).collect()),
            _ => {
                let shape = self.batch.iter().copied().chain([positions, heads * size]).collect();
                x.permute_by(Dims::from_slice(&[0, 2, 1, 3])).with_shape(shape)
            }
        }
    }

    /// The gradients of the operands from those of the [split](Layout::split) ones.
    pub(crate) fn join<T: Float>(&self, gradients: [Var<T>; 3]) -> Vec<Var<T>> {
        let gradients = gradients.map(|x| self.ungrouped(&x));
        match self.form {
            Form::Packed => vec![Var::concat(&gradients, -1)],
            _ => gradients.into(),
        }
    }
}
