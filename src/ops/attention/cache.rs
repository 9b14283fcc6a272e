//! The cache of keys and values of sequences that grow.

use super::Attention;
use super::layout::Layout;
use crate::autograd::Var;
use crate::autograd::apply::AnyOp;
use crate::kernel::attention::Place;
use crate::panics;
use crate::tensor::{Float, Tensor};

/// The keys and values of the positions so far of N sequences, for generation: each next position attends to them without computing
/// them again.
///
/// The memory for all positions is allocated once. See [`Var::cached_attention`].
#[derive(Clone, Debug)]
pub struct KeyValueCache<T: Float = f32> {
    /// `[N, positions, Hk D]`, of which only the first positions are filled.
    keys: Tensor<T>,
    values: Tensor<T>,
    length: usize,
}

impl<T: Float> KeyValueCache<T> {
    /// An empty cache for N sequences of up to `positions` positions; `width` is the size Hk D of the keys of a position.
    #[doc(alias("kv_cache", "past_key_values"))]
    #[track_caller]
    pub fn new(sequences: usize, positions: usize, width: usize) -> Self {
        let keys = Tensor::zeros([sequences, positions, width]);
        KeyValueCache { keys, values: Tensor::zeros([sequences, positions, width]), length: 0 }
    }

    /// The number of positions so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no positions yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The most positions.
    pub fn capacity(&self) -> usize {
        self.keys.shape()[1]
    }

    /// Forgets the positions from the given one on: 0 to begin anew.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Adds the keys and values of next positions from packed operands.
    fn append(&mut self, packed: &[T], layout: &Layout) {
        let [sequences, capacity, width] = *self.keys.shape() else { unreachable!("a cache has three axes") };
        let positions = layout.sizes.queries;
        for (cached, place) in [&mut self.keys, &mut self.values].into_iter().zip(&layout.places[1..]) {
            let cached = cached.as_mut_slice();
            for (sequence, position) in (0..sequences).flat_map(|k| (0..positions).map(move |at| (k, at))) {
                let from = place.offset + sequence * place.batch + position * place.position;
                let to = (sequence * capacity + self.length + position) * width;
                cached[to..to + width].copy_from_slice(&packed[from..from + width]);
            }
        }
        self.length += positions;
    }
}

impl<T: Float> Var<T> {
    /// Causal [self-attention](Var::self_attention) of the next positions `[N, T, (H + 2 Hk) D]` of the sequences in a cache, to which
    /// their keys and values are added; the result is `[N, T, H D]`.
    ///
    /// It is the attention of the whole sequences at the next positions. Gradients do not flow into a cache, so this is for values that
    /// are not recorded, as on [`Tape::inference`](crate::Tape::inference).
    ///
    /// # Panics
    /// If the value is recorded, the number of heads is not set, the shape does not fit the cache, or the cache is full.
    ///
    /// ```
    /// use wengert::nn::KeyValueCache;
    /// use wengert::prelude::*;
    ///
    /// let x: Tensor = Tensor::randn([1, 3, 6], &mut wengert::rng(0));
    /// let (tape, options) = (Tape::inference(), Attention::new().heads(1).causal());
    /// let whole = tape.constant(&x).self_attention(&options);
    ///
    /// let mut cache = KeyValueCache::new(1, 8, 2);
    /// _ = tape.constant(x.slice(1, ..2)).cached_attention(&options, &mut cache);
    /// let last = tape.constant(x.slice(1, 2..)).cached_attention(&options, &mut cache);
    /// assert!((last.value() - whole.value().slice(1, 2..)).iter().all(|x| x.abs() < 1e-6));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cached_attention(&self, options: &Attention<T>, cache: &mut KeyValueCache<T>) -> Var<T> {
        let Some([heads, kv_heads]) = options.merged_heads() else { panics::no_heads(self.shape()) };
        if self.node().is_some() {
            panics::cache_recorded(self.shape());
        }
        match self.attend_cached(options, cache, Layout::packed(self.shape(), heads, kv_heads)) {
            Ok(y) => self.constant(y),
            Err(reason) => panics::wrong_shapes("cached_attention", &reason, ""),
        }
    }

    /// [`cached_attention`](Var::cached_attention) of packed operands; the error is why they do not fit.
    #[track_caller]
    fn attend_cached(
        &self,
        options: &Attention<T>,
        cache: &mut KeyValueCache<T>,
        layout: Result<Layout, String>,
    ) -> Result<Tensor<T>, String> {
        let mut layout = layout?;
        let (sizes, first) = (layout.sizes, cache.len());
        let width = sizes.kv_heads * layout.places[1].size;
        if *cache.keys.shape() != [sizes.batch, cache.capacity(), width] {
            panics::cache_shape(self.shape(), sizes.batch, width, cache.keys.shape());
        }
        if cache.capacity() - first < sizes.queries {
            panics::cache_full(sizes.queries, first, cache.capacity());
        }
        layout.sizes.keys = first + sizes.queries;
        let mut op = options.operation(layout.clone(), self)?;
        cache.append(self.value().as_slice(), &layout);
        op.attend_from(
            first,
            Place { offset: 0, batch: cache.capacity() * width, position: width, ..layout.places[1] },
        );
        op.forward(&[self.value(), &cache.keys, &cache.values])
    }
}
